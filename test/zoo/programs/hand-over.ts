/** Programs whose leases go from holder to holder: by a hand-over, a moved stack, a queue, a race, or an iterator. */
import { AsyncResource } from 'node:async_hooks';
import type { Lease, Pool } from '../../../src/pool/index.js';
import { AsyncRunStack, RefCountedMap, scopeResources } from '../../../src/scope/index.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import type { Conn, Program, Zoo } from '../program.js';

/** One minute of a busy route, whose requests keep none of their leases. */
async function busy(zoo: Zoo, pool: Pool<Conn>, route = 'POST /upload'): Promise<void> {
  for (let i = 0; i < 60; i++) await zoo.scope(route, () => pool.use(({ id }) => id));
}

export const handedOver: readonly Program[] = [
  {
    name: 'uploads of a busy route are handed over to the process, for hours',
    async run(zoo) {
      const pool = zoo.pool();
      const uploads: Lease<Conn>[] = [];
      await eachQuietMinute(zoo, 120, async (minute) => {
        await busy(zoo, pool);
        if (minute % 40 !== 10) return;
        await zoo.scope('POST /upload', async () => {
          const lease = await pool.lease();
          zoo.watchdog.handOver(lease, 'process');
          uploads.push(lease);
        });
      });
      for (const lease of uploads) await lease.release();
    },
  },
  {
    name: 'a lease of a busy route is handed over to a worker, which takes others',
    async run(zoo) {
      const pool = zoo.pool();
      const worker = zoo.watchdog.openScope('worker');
      const lease = await zoo.scope('POST /upload', async () => {
        const taken = await pool.lease();
        taken.transfer(worker);
        return taken;
      });
      await eachQuietMinute(zoo, 120, async () => {
        await busy(zoo, pool);
        await worker.run(() => busy(zoo, pool, 'step'));
      });
      await lease.release();
      worker.end();
    },
  },
  {
    name: 'of the leases that the process was given, the first is never released',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const stream = async (): Promise<Lease<Conn>> => {
        const lease = await pool.lease(); // LEAK: of the leases that the process was given, the first is never released
        zoo.watchdog.handOver(lease, 'process');
        return lease;
      };
      const lost = await zoo.scope('GET /stream', stream);
      await eachMinute(zoo, 100, async () => {
        const streams: Lease<Conn>[] = [];
        for (let i = 0; i < 45; i++) streams.push(await zoo.scope('GET /stream', stream));
        await zoo.age(2_000);
        for (const lease of streams) await lease.release();
      });
      return lost;
    },
  },
  {
    name: 'a saga hands its lease over from step to step, and the last step loses it',
    finds: { rules: ['orphaned'], count: 25 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let saga = 0; saga < 25; saga++) {
        const steps = ['reserve', 'charge', 'ship'].map((step) => zoo.watchdog.openScope(step));
        const lease = await steps[0]?.run(() => pool.lease()); // LEAK: a saga hands its lease over from step to step, and the last step loses it
        for (const [i, step] of steps.entries()) {
          if (i > 0) lease?.transfer(step);
          steps[i - 1]?.end();
          await zoo.age(2_000);
        }
        kept.push(lease);
        steps.at(-1)?.end();
      }
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'logins hand their leases over when they have ended, and some sessions lose them',
    finds: { rules: ['orphaned'], count: 6 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 30; i++) {
        const lease = await zoo.scope('POST /login', () => pool.lease()); // LEAK: logins hand their leases over when they have ended, and some sessions lose them
        await zoo.age(500);
        const session = zoo.watchdog.openScope('session');
        zoo.watchdog.handOver(lease, session);
        await zoo.age(20_000);
        if (i % 5 === 2) kept.push(lease);
        else await lease.release();
        session.end();
      }
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'sessions keep moved stacks with leases longer than their requests',
    async run(zoo) {
      const pool = zoo.pool();
      zoo.watched(scopeResources);
      const sessions: AsyncRunStack[] = [];
      const login = async () => {
        await using stack = new AsyncRunStack();
        stack.use(await pool.lease());
        const session = stack.move();
        zoo.watchdog.handOver(session, 'process');
        sessions.push(session);
      };
      await eachQuietMinute(zoo, 60, async (minute) => {
        await busy(zoo, pool, 'POST /login');
        if (minute < 3) await zoo.scope('POST /login', login);
      });
      for (const session of sessions) await session[Symbol.asyncDispose]();
    },
  },
  {
    name: 'readers leave a generator that has no finally',
    finds: { rules: ['orphaned'], count: 25 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      async function* rows() {
        const lease = await pool.lease(); // LEAK: readers leave a generator that has no finally
        kept.push(lease);
        for (let row = 0; row < 5; row++) yield row;
        await lease.release();
      }
      for (let i = 0; i < 100; i++) {
        await zoo.scope('GET /rows', async () => {
          for await (const row of rows()) if (i % 4 === 0 && row === 2) break;
        });
      }
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'a lease comes after its timeout has won the race',
    finds: { rules: ['orphaned'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool({ max: 1 });
      const holder = await pool.lease();
      const late: unknown[] = [];
      await zoo.scope('GET /slow', async () => {
        const lease = pool.lease(); // LEAK: a lease comes after its timeout has won the race
        late.push(lease);
        await Promise.race([lease, null]);
      });
      await holder.release();
      await zoo.age(MINUTE);
      return late;
    },
  },
  {
    name: 'the losers of hedged reads of two replicas keep their leases',
    finds: { rules: ['orphaned'], count: 30, mostLeaks: 2 },
    async run(zoo) {
      const replicas = ['replica-a', 'replica-b'].map((name) => zoo.pool({ name }));
      const kept: unknown[] = [];
      const read = async (i: number): Promise<void> => {
        const leases = await Promise.all(replicas.map((replica) => replica.lease())); // LEAK: the losers of hedged reads of two replicas keep their leases
        kept.push(leases);
        await leases[i % 2]?.release();
      };
      for (let i = 0; i < 30; i++) await zoo.scope('GET /hedged', () => read(i));
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'connections take their rooms over from the upgrade, and some keep them when they break',
    finds: { rules: ['orphaned'], count: 12 },
    async run(zoo) {
      const rooms = zoo.watched(new RefCountedMap((room: string) => ({ room }), { name: 'rooms' }));
      const kept: unknown[] = [];
      for (let i = 0; i < 120; i++) {
        const connection = zoo.watchdog.openScope('socket');
        const lease = await zoo.scope('GET /upgrade', async () => {
          const taken = await rooms.acquire(`room ${i % 3}`); // LEAK: connections take their rooms over from the upgrade, and some keep them when they break
          zoo.watchdog.handOver(taken, connection);
          return taken;
        });
        await zoo.age(20_000);
        if (i % 10 === 3) kept.push(lease);
        else await lease.release();
        connection.end();
      }
      return kept;
    },
  },
  {
    name: 'a timer that the startup has set loses its leases on errors',
    finds: { rules: ['orphaned'], count: 24 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      let runs = 0;
      const poll = async (): Promise<void> => {
        const lease = await pool.lease(); // LEAK: a timer that the startup has set loses its leases on errors
        if (runs++ % 5 === 0) kept.push(lease);
        else await lease.release();
      };
      const repeat = (): void => {
        zoo.clock.setTimer(
          AsyncResource.bind(() => {
            void poll();
            if (runs < 119) repeat();
          }),
          MINUTE,
        );
      };
      await zoo.scope('startup', async () => {
        await null;
        repeat();
      });
      await zoo.age(122 * MINUTE);
      return kept;
    },
  },
];
