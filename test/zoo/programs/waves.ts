/** Programs in which the objects of one kind become more for a while: warm-up, tenants, clearing, waves of load. */
import { memoize } from '../../../src/memoize/index.js';
import { createPool, type Pool } from '../../../src/pool/index.js';
import { WeakValueMap } from '../../../src/weak/index.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import { type Conn, connections, type Program, type Zoo } from '../program.js';

/** Load that rises for an hour and falls for an hour: from 0 to 1. */
const waveAt = (minute: number): number => (1 - Math.cos((Math.PI * minute) / 60)) / 2;

/** Things that live for a while. */
class Living<T> {
  #all: { readonly until: number; readonly thing: T }[] = [];

  add(until: number, thing: T): void {
    this.#all.push({ until, thing });
  }

  /** Gives those whose time is over, and holds them no longer. */
  over(minute: number): T[] {
    const over = this.#all.filter(({ until }) => until <= minute);
    this.#all = this.#all.filter(({ until }) => until > minute);
    return over.map(({ thing }) => thing);
  }
}

/** Long polls on one route, each of which is a scope. */
class Polls {
  readonly #open = new Living<() => void>();
  readonly #zoo: Zoo;

  constructor(zoo: Zoo) {
    this.#zoo = zoo;
  }

  begin(until: number): void {
    void this.#zoo.scope('GET /poll', () => {
      return new Promise<void>((end) => this.#open.add(until, end));
    });
  }

  endUntil(minute: number): void {
    for (const end of this.#open.over(minute)) end();
  }
}

/** Calls `work` once in each of 45 minutes. V8 collects in one of `collectEvery`. */
async function forFortyFiveMinutes(
  zoo: Zoo,
  collectEvery: number,
  work: (minute: number) => unknown,
): Promise<void> {
  await eachMinute(zoo, 45, async (minute) => {
    await work(minute);
    if ((minute + 1) % collectEvery === 0) await zoo.watchdog.check({ forceGc: true });
  });
}

export const waves: readonly Program[] = [
  {
    name: 'the values of a weak map live for half an hour',
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      const living = new Living<object>();
      await eachQuietMinute(zoo, 80, (minute) => {
        for (let i = 0; i < 15; i++) {
          const value = { i };
          living.add(minute + 30, value);
          documents.set(`${minute}/${i}`, value);
        }
        living.over(minute);
      });
      return living;
    },
  },
  {
    name: 'a pool for each of a hundred tenants',
    async run(zoo) {
      const pools: Pool<Conn>[] = [];
      for (let half = 0; half < 140; half++) {
        if (pools.length < 100) {
          pools.push(zoo.watched(createPool(connections, { name: 'tenant' })));
        }
        for (const pool of pools) await pool.use((c) => c.id);
        await zoo.age(MINUTE / 2);
        await zoo.mustBeQuiet();
      }
      for (const pool of pools) await pool.close();
    },
  },
  {
    name: 'long polls become fewer for a quarter of an hour, and more for another',
    async run(zoo) {
      zoo.pool();
      const polls = new Polls(zoo);
      let left = 0;
      const begin = (polled: number): void => {
        for (let i = 0; i < polled; i++) polls.begin(Math.floor(left++ / 10));
      };
      begin(300);
      await eachQuietMinute(zoo, 60, (minute) => {
        begin(minute < 15 ? 4 : minute < 30 ? 16 : 10);
        polls.endUntil(minute);
      });
      polls.endUntil(1_000);
    },
  },
  {
    name: 'a cache is cleared every ten minutes',
    async run(zoo) {
      const page = zoo.watched(memoize(async (url: string) => url, { name: 'page' }));
      let time = 0;
      await eachQuietMinute(zoo, 60, async (minute) => {
        if (minute % 10 === 0) page.clear();
        for (let i = 0; i < 50; i++) await page(`/a?_=${time++}`);
      });
    },
  },
  {
    name: 'sessions follow the load of the day',
    async run(zoo) {
      const sessions = zoo.watched(new WeakValueMap<string, object>({ name: 'sessions' }));
      const living = new Living<object>();
      await eachQuietMinute(
        zoo,
        200,
        (minute) => {
          for (let i = 0; i < 4 + 26 * waveAt(minute); i++) {
            const session = { i };
            living.add(minute + 12, session);
            sessions.set(`${minute}/${i}`, session);
          }
          living.over(minute);
        },
        20,
      );
      return living;
    },
  },
  {
    name: 'long polls follow the load of the day',
    async run(zoo) {
      zoo.pool();
      const polls = new Polls(zoo);
      await eachQuietMinute(
        zoo,
        200,
        (minute) => {
          for (let i = 0; i < 4 + 26 * waveAt(minute); i++) polls.begin(minute + 12);
          polls.endUntil(minute);
        },
        20,
      );
      polls.endUntil(1_000);
    },
  },
  {
    name: 'a cache is emptied as the load of the day falls',
    async run(zoo) {
      const user = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'user' }));
      let size = 0;
      await eachQuietMinute(
        zoo,
        200,
        async (minute) => {
          const wanted = Math.round(100 + 400 * waveAt(minute + 60));
          while (size < wanted) await user(size++);
          while (size > wanted) user.delete(--size);
        },
        20,
      );
    },
  },
  {
    name: 'a cache is cleared by its user at 1,500 entries',
    async run(zoo) {
      const place = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'place' }));
      let id = 0;
      await eachQuietMinute(zoo, 60, async () => {
        for (let i = 0; i < 150; i++) {
          if (id % 1_500 === 0) place.clear();
          await place(id++);
        }
      });
    },
  },
  {
    name: 'workers that listen to a pool are scaled up and down',
    async run(zoo) {
      const pool = zoo.pool();
      const workers: (() => void)[] = [];
      await eachQuietMinute(
        zoo,
        160,
        (minute) => {
          const wanted = Math.round(20 + 100 * waveAt(1.5 * minute));
          for (const listener of workers.splice(wanted)) pool.off('created', listener);
          while (workers.length < wanted) {
            const listener = (): number => wanted;
            pool.on('created', listener);
            workers.push(listener);
          }
        },
        20,
      );
      for (const listener of workers) pool.off('created', listener);
    },
  },
  {
    name: 'an audit log keeps a fifth of the requests',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const requests = zoo.watched(new WeakValueMap<string, object>({ name: 'requests' }));
      const log: object[] = [];
      await forFortyFiveMinutes(zoo, 5, (minute) => {
        for (let i = 0; i < 40; i++) {
          const request = { i };
          if (i % 5 === 0) log.push(request);
          requests.set(`${minute}/${i}`, request); // LEAK: an audit log keeps a fifth of the requests
        }
      });
      return log;
    },
  },
  {
    name: 'a third of the sessions is never removed',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const sessions = zoo.watched(new WeakValueMap<string, object>({ name: 'sessions' }));
      const living = new Living<object>();
      await forFortyFiveMinutes(zoo, 5, (minute) => {
        for (let i = 0; i < 21; i++) {
          const session = { i };
          living.add(i % 3 === 0 ? 1_000 : minute + 10, session);
          sessions.set(`${minute}/${i}`, session); // LEAK: a third of the sessions is never removed
        }
        living.over(minute);
      });
      return living;
    },
  },
  {
    name: 'half of the pools of tenants that have gone are not closed',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const pools: Pool<Conn>[] = [];
      await forFortyFiveMinutes(zoo, 15, async (minute) => {
        for (let i = 0; i < 8; i++) {
          const pool = createPool(connections, { name: 'tenant' });
          zoo.watchdog.watch(pool); // LEAK: half of the pools of tenants that have gone are not closed
          pools.push(pool);
        }
        if (minute > 10) for (const pool of pools.splice(0, 4)) await pool.close();
      });
      return pools;
    },
  },
  {
    name: 'a cache of 500 known keys, and of twelve new ones in each minute',
    finds: { rules: ['growth'] },
    async run(zoo) {
      const page = zoo.watched(memoize(async (key: string) => key, { name: 'page' }));
      let asked = 0;
      await forFortyFiveMinutes(zoo, 15, async (minute) => {
        for (let i = 0; i < 200; i++) await page(`known ${(asked++ * 7_919) % 500}`);
        for (let i = 0; i < 12; i++) await page(`${minute}/${i}`); // LEAK: a cache of 500 known keys, and of twelve new ones in each minute
      });
    },
  },
];
