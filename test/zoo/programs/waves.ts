/** Programs in which the objects of one kind become more for a while: warm-up, tenants, clearing, waves of load. */
import { memoize } from '../../../src/memoize/index.js';
import { createPool, type Pool } from '../../../src/pool/index.js';
import { WeakValueMap } from '../../../src/weak/index.js';
import { eachMinute, MINUTE } from '../minutes.js';
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

/** Calls `work` once a minute. V8 collects in every fourth minute, and then nothing may be told. */
async function eachJudgedMinute(
  zoo: Zoo,
  minutes: number,
  work: (minute: number) => unknown,
): Promise<void> {
  await eachMinute(zoo, minutes, async (minute) => {
    await work(minute);
    await zoo.mustBeQuiet(minute % 4 === 3 ? { forceGc: true } : {});
  });
}

export const waves: readonly Program[] = [
  {
    name: 'the values of a weak map live for half an hour',
    async run(zoo) {
      const documents = zoo.watched(new WeakValueMap<string, object>({ name: 'documents' }));
      const living = new Living<object>();
      await eachJudgedMinute(zoo, 80, (minute) => {
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
      await eachJudgedMinute(zoo, 60, (minute) => {
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
      await eachJudgedMinute(zoo, 60, async (minute) => {
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
      await eachJudgedMinute(zoo, 250, (minute) => {
        for (let i = 0; i < 4 + 26 * waveAt(minute); i++) {
          const session = { i };
          living.add(minute + 12, session);
          sessions.set(`${minute}/${i}`, session);
        }
        living.over(minute);
      });
      return living;
    },
  },
  {
    name: 'long polls follow the load of the day',
    async run(zoo) {
      zoo.pool();
      const polls = new Polls(zoo);
      await eachJudgedMinute(zoo, 250, (minute) => {
        for (let i = 0; i < 4 + 26 * waveAt(minute); i++) polls.begin(minute + 12);
        polls.endUntil(minute);
      });
      polls.endUntil(1_000);
    },
  },
  {
    name: 'a cache is emptied as the load of the day falls',
    async run(zoo) {
      const user = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'user' }));
      let size = 0;
      await eachJudgedMinute(zoo, 250, async (minute) => {
        const wanted = Math.round(100 + 400 * waveAt(minute + 60));
        while (size < wanted) await user(size++);
        while (size > wanted) user.delete(--size);
      });
    },
  },
];
