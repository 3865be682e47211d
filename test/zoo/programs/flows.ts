/** Programs whose leases travel through events, streams, batches and queues. */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { batched } from '../../../src/memoize/batch/index.js';
import { disposal } from '../../../src/memoize/disposal/index.js';
import { memoize } from '../../../src/memoize/index.js';
import type { Lease } from '../../../src/pool/index.js';
import { RefCounted } from '../../../src/scope/index.js';
import { Gate } from '../../kit/gate.js';
import { eachMinute, eachQuietMinute, MINUTE } from '../minutes.js';
import type { Conn, Program } from '../program.js';

/** A queue that runs the next job in the flow of the job that has ended, as p-queue and Bottleneck do. */
function jobQueue(width: number): <R>(work: () => Promise<R>) => Promise<R> {
  const waiting: (() => void)[] = [];
  let free = width;
  const next = (): void => {
    free++;
    start();
  };
  const start = (): void => {
    for (; free > 0 && waiting.length > 0; free--) waiting.shift()?.();
  };
  return (work) =>
    new Promise((resolve, reject) => {
      waiting.push(() => void work().then(resolve, reject).finally(next));
      start();
    });
}

export const flows: readonly Program[] = [
  {
    name: 'an event takes a lease, and the event that releases it may not come',
    finds: { rules: ['tenured'], count: 7 },
    async run(zoo) {
      const pool = zoo.pool();
      const bus = new EventEmitter();
      const held = new Map<number, Lease<Conn>>();
      bus.on('begin', (id: number) => void pool.lease().then((l) => held.set(id, l))); // LEAK: an event takes a lease, and the event that releases it may not come
      bus.on('end', (id: number) => void held.get(id)?.release());
      for (let i = 0; i < 4_000; i++) {
        bus.emit('begin', i);
        await null;
        await null;
        await null;
        if (i % 600 !== 2) bus.emit('end', i);
        await null;
        if (i % 50 === 0) await zoo.age(200);
      }
      await eachMinute(zoo, 3, () => zoo.traffic(pool, 1_500));
      return held;
    },
  },
  {
    name: 'an event is awaited between lease and release, and an error comes instead',
    finds: { rules: ['orphaned'], count: 4 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 12; i++) {
        await zoo
          .scope('GET /wait', async () => {
            const bus = new EventEmitter();
            const lease = await pool.lease(); // LEAK: an event is awaited between lease and release, and an error comes instead
            kept.push(lease);
            queueMicrotask(() => bus.emit(i % 3 === 0 ? 'error' : 'done', new Error('x')));
            await once(bus, 'done');
            await lease.release();
          })
          .catch(() => {});
      }
      return kept;
    },
  },
  {
    name: 'steps that settle together hide one that failed with its lease',
    finds: { rules: ['orphaned'], count: 10 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      const step = async (n: number) => {
        const lease = await pool.lease(); // LEAK: steps that settle together hide one that failed with its lease
        kept.push(lease);
        await lease.resource.query(n === 2 ? 'boom' : 'ok');
        await lease.release();
      };
      for (let i = 0; i < 10; i++)
        await zoo.scope('POST /batch', () => Promise.allSettled([1, 2, 3].map(step)));
      return kept;
    },
  },
  {
    name: 'a stream is destroyed, and only its end releases',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      for (let i = 0; i < 9; i++) {
        const scope = zoo.watchdog.openScope('GET /download');
        await scope.run(async () => {
          const lease = await pool.lease(); // LEAK: a stream is destroyed, and only its end releases
          kept.push(lease);
          const source = Readable.from(['a', 'b', 'c']);
          source.on('end', () => void lease.release());
          if (i % 3 === 0) {
            source.destroy();
            await once(source, 'close');
          } else {
            source.resume();
            await once(source, 'close');
          }
        });
        scope.end();
      }
      return kept;
    },
  },
  {
    name: 'backpressure stops a stream for ever',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const source = Readable.from(['a row', 'another row', 'the last row']);
      const stuck = new Writable({ highWaterMark: 1, write() {} });
      void zoo.scope('GET /export', async () => {
        await using _lease = await pool.lease(); // LEAK: backpressure stops a stream for ever
        await pipeline(source, stuck);
      });
      await eachMinute(zoo, 6, () => zoo.traffic(pool, 1_500));
      return [source, stuck];
    },
  },
  {
    name: 'a batch for many callers loses its lease on an empty result',
    finds: { rules: ['orphaned'], count: 4 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      const byId = batched(async (ids: readonly [id: number][]) => {
        const lease = await pool.lease(); // LEAK: a batch for many callers loses its lease on an empty result
        kept.push(lease);
        if (ids.every(([id]) => id % 5 === 0)) return ids.map(() => 0);
        await lease.release();
        return ids.map(([id]) => id * 2);
      });
      for (let i = 0; i < 20; i++) await zoo.scope('POST /graphql', () => byId(i));
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'a field of a class holds a lease, and some instances are not closed',
    finds: { rules: ['orphaned'], count: 5 },
    async run(zoo) {
      const pool = zoo.pool();
      const registry: unknown[] = [];
      class Repo {
        lease: Promise<Lease<Conn>> = pool.lease(); // LEAK: a field of a class holds a lease, and some instances are not closed
        async close() {
          await (await this.lease).release();
        }
      }
      for (let i = 0; i < 10; i++)
        await zoo.scope('GET /repo', async () => {
          const repo = new Repo();
          registry.push(repo);
          await repo.lease;
          if (i % 2) await repo.close();
        });
      return registry;
    },
  },
  {
    name: 'runs of a job overlap, and each overwrites the lease of the one before',
    finds: { rules: ['orphaned'], count: 9 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: unknown[] = [];
      let lease: Lease<Conn> | undefined;
      const gate = new Gate();
      const jobs: unknown[] = [];
      for (let i = 0; i < 10; i++) {
        jobs.push(
          zoo.scope('cron', async () => {
            lease = await pool.lease(); // LEAK: runs of a job overlap, and each overwrites the lease of the one before
            kept.push(lease);
            await gate.passed;
          }),
        );
        await null;
        await null;
      }
      gate.open();
      await Promise.all(jobs as Promise<void>[]);
      await lease?.release();
      return kept;
    },
  },
  {
    name: 'callers only try, and all resources are lost',
    finds: { rules: ['exhausted'], count: 3, isFoundWithoutLine: true },
    async run(zoo) {
      const pool = zoo.pool({ max: 3 });
      await zoo.traffic(pool, 4_000);
      const kept: unknown[] = [];
      for (let i = 0; i < 3; i++) kept.push(await pool.lease()); // LEAK: callers only try, and all resources are lost
      for (let i = 0; i < 20; i++) {
        pool.tryLease();
        await zoo.age(10_000);
      }
      return kept;
    },
  },
  {
    name: 'a transform keeps leases until its flush, which an error prevents',
    finds: { rules: ['orphaned'], count: 3 },
    async run(zoo) {
      const pool = zoo.pool();
      const kept: Lease<Conn>[] = [];
      await zoo
        .scope('POST /import', async () => {
          const own: Lease<Conn>[] = [];
          const t = new Transform({
            objectMode: true,
            async transform(row: number, _encoding, done) {
              if (row === 4) {
                done(new Error('a bad row'));
                return;
              }
              const lease = await pool.lease(); // LEAK: a transform keeps leases until its flush, which an error prevents
              own.push(lease);
              kept.push(lease);
              done();
            },
            flush(cb) {
              for (const l of own) void l.release();
              cb();
            },
          });
          await pipeline(
            Readable.from([1, 2, 3, 4]),
            t,
            new PassThrough({ objectMode: true }).resume(),
          );
        })
        .catch(() => {});
      return kept;
    },
  },
  {
    name: 'the disposal of an evicted result hangs with its lease',
    finds: { rules: ['tenured'], count: 1 },
    async run(zoo) {
      const pool = zoo.pool();
      const hang = new Gate();
      const conn = zoo.watched(
        memoize(
          async (_k: number) => pool.lease(), // LEAK: the disposal of an evicted result hangs with its lease
          {
            name: 'conn',
            max: 1,
            dispose: disposal(async (l: Lease<Conn>) => {
              await hang.passed;
              await l.release();
            }),
          },
        ),
      );
      await conn(1);
      await eachMinute(zoo, 3, () => zoo.traffic(pool, 1_500));
      conn.delete(1);
      await eachMinute(zoo, 8, () => zoo.traffic(pool, 1_500));
      return [conn, hang];
    },
  },
  {
    name: 'two callers hold one resource each, and wait for a second one',
    finds: { rules: ['exhausted'], count: 2 },
    async run(zoo) {
      const pool = zoo.pool({ max: 2, acquireTimeoutMillis: Infinity });
      await zoo.traffic(pool, 50);
      const both = [0, 1].map(() =>
        zoo
          .scope('nested', async () => {
            const outer = await pool.lease(); // LEAK: two callers hold one resource each, and wait for a second one
            const inner = await pool.lease();
            await inner.release();
            await outer.release();
          })
          .catch(() => {}),
      );
      for (let i = 0; i < 12; i++) await zoo.age(10_000);
      return both;
    },
  },
  {
    name: 'jobs of a queue hold a lease for 1 to 90 seconds each',
    async run(zoo) {
      const pool = zoo.pool({ max: 8 });
      for (let i = 0; i < 120; i++) {
        const gate = new Gate();
        const job = zoo.scope('job', () => pool.use(() => gate.passed));
        await zoo.age(1_000 + ((i * 7919) % 90) * 1_000);
        await zoo.mustBeQuiet();
        gate.open();
        await job;
      }
    },
  },
  {
    name: 'batches for many resolvers have a lease each',
    async run(zoo) {
      const pool = zoo.pool();
      const byId = batched(async (ids: readonly [id: number][]) =>
        pool.use(async (c) => {
          await c.query('x');
          return ids.map(([id]) => id);
        }),
      );
      for (let i = 0; i < 100; i++)
        await zoo.scope('POST /graphql', () => Promise.all([byId(i), byId(i + 1), byId(i + 2)]));
      await zoo.age(MINUTE);
    },
  },
  {
    name: 'nested transactions share a lease by the async context',
    async run(zoo) {
      const pool = zoo.pool();
      const als = new AsyncLocalStorage<Lease<Conn>>();
      const tx = async (body: () => Promise<void>): Promise<void> => {
        if (als.getStore()) {
          await body();
          return;
        }
        await using lease = await pool.lease();
        await als.run(lease, body);
      };
      for (let i = 0; i < 100; i++)
        await zoo.scope('POST /tx', () =>
          tx(() =>
            tx(async () => {
              await null;
            }),
          ),
        );
    },
  },
  {
    name: 'a dispatcher tries for a free resource, and its jobs take minutes',
    async run(zoo) {
      const pool = zoo.pool({ max: 2 });
      await pool.use(() => null);
      for (let round = 0; round < 15; round++) {
        const gate = new Gate();
        const jobs = [pool.use(() => gate.passed), pool.use(() => gate.passed)];
        await null;
        for (let i = 0; i < 20 + (round % 5) * 6; i++) {
          pool.tryLease();
          await zoo.age(10_000);
          await zoo.mustBeQuiet();
        }
        gate.open();
        await Promise.all(jobs);
      }
    },
  },
  {
    name: 'sockets outside of scopes hold a shared value, come in the morning, and stay',
    async run(zoo) {
      const rooms = zoo.watched(new RefCounted(() => ({}), { name: 'room' }));
      const open: { release(): unknown }[] = [];
      await eachQuietMinute(zoo, 90, async (m) => {
        if (m < 25) for (let i = 0; i < 12; i++) open.push(await rooms.acquire());
        if (m >= 25 && m % 5 === 0) {
          await open.shift()?.release();
          open.push(await rooms.acquire());
        }
      });
      for (const l of open) await l.release();
    },
  },
  {
    name: 'a cache of 5,000 known keys without a bound fills up',
    async run(zoo) {
      const user = zoo.watched(memoize(async (id: number) => ({ id }), { name: 'user' }));
      let seed = 1;
      const next = (): number => {
        seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((seed / 2 ** 32) * 5_000);
      };
      await eachQuietMinute(zoo, 60, async () => {
        for (let i = 0; i < 1_000; i++) await user(next());
      });
    },
  },
  {
    name: 'a callback that is bound to one request runs in another',
    async run(zoo) {
      const pool = zoo.pool();
      const queue: (() => Promise<unknown>)[] = [];
      for (let i = 0; i < 50; i++) {
        const done = zoo.scope(
          'GET /bound',
          () =>
            new Promise<void>((resolve) => {
              queue.push(AsyncResource.bind(() => pool.use(() => resolve())));
            }),
        );
        await queue.shift()?.();
        await done;
      }
      await zoo.age(MINUTE);
    },
  },
  {
    name: 'a queue runs the jobs of requests in the flows of requests that have ended',
    async run(zoo) {
      const pool = zoo.pool();
      const add = jobQueue(2);
      const work = async (): Promise<void> => {
        await zoo.wait(1);
        await pool.use(() => zoo.wait(99));
      };
      const requests = Array.from({ length: 100 }, () => zoo.scope('GET /report', () => add(work)));
      await zoo.age(250);
      for (let i = 0; i < 50; i++) {
        await zoo.age(100);
        await zoo.mustBeQuiet({ forceGc: i % 10 === 0 });
      }
      await Promise.all(requests);
    },
  },
  {
    name: 'a queue runs the jobs of requests in the flows of others, and some jobs lose their leases',
    finds: { rules: ['orphaned'], count: 10 },
    async run(zoo) {
      const pool = zoo.pool();
      const add = jobQueue(2);
      const kept: unknown[] = [];
      const work = async (id: number): Promise<void> => {
        const lease = await pool.lease(); // LEAK: a queue runs the jobs of requests in the flows of others, and some jobs lose their leases
        await zoo.wait(100);
        if (id % 10 === 3) kept.push(lease);
        else await lease.release();
      };
      const requests = Array.from({ length: 100 }, (_, id) =>
        zoo.scope('GET /report', () => add(() => work(id))),
      );
      await zoo.age(6_000);
      await Promise.all(requests);
      await zoo.age(MINUTE);
      return kept;
    },
  },
  {
    name: 'all resources are taken for 50 seconds again and again, and others wait',
    async run(zoo) {
      const pool = zoo.pool({ max: 6, acquireTimeoutMillis: 120_000 });
      for (let r = 0; r < 10; r++) {
        const gate = new Gate();
        const all = Array.from({ length: 6 }, () =>
          zoo.scope('map', () => pool.use(() => gate.passed)),
        );
        const other = zoo.scope('GET /', () => pool.use(() => null));
        await zoo.age(50_000);
        await zoo.mustBeQuiet();
        gate.open();
        await Promise.all(all);
        await other;
      }
    },
  },
  {
    name: 'entries with leases are disposed of slowly, and cleared',
    async run(zoo) {
      const pool = zoo.pool();
      const conn = zoo.watched(
        memoize(async (_k: number) => pool.lease(), {
          name: 'conn',
          max: 3,
          dispose: disposal(async (l: Lease<Conn>) => {
            await zoo.wait(40_000);
            await l.release();
          }),
        }),
      );
      for (let k = 0; k < 30; k++) {
        await conn(k);
        await zoo.traffic(pool, 300);
        await zoo.age(45_000);
        await zoo.mustBeQuiet();
      }
      conn.clear();
      await zoo.age(5 * MINUTE);
    },
  },
  {
    name: 'an entry of half an hour is disposed of in half a minute',
    async run(zoo) {
      const pool = zoo.pool();
      const conn = zoo.watched(
        memoize(async (_k: number) => pool.lease(), {
          name: 'conn',
          max: 3,
          dispose: disposal(async (l: Lease<Conn>) => {
            await zoo.wait(30_000);
            await l.release();
          }),
        }),
      );
      await conn(1);
      await eachQuietMinute(zoo, 30, () => zoo.traffic(pool, 700));
      conn.delete(1);
      for (let i = 0; i < 4; i++) {
        await zoo.traffic(pool, 700);
        await zoo.age(10_000);
        await zoo.mustBeQuiet();
      }
    },
  },
];
