/** The pools that the bench measures, each with the loop that its users would write. */
import genericPool from 'generic-pool';
import { createPool as createLightningPool } from 'lightning-pool';
import { Pool as SequelizePool } from 'sequelize-pool';
import { Pool as TarnPool } from 'tarn';
import { createPool, type Pool } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import type { Contender } from '../compare.js';

export const MAX = 10;
const WORKERS = 100;

/** Name of the least that lending without a wait takes. */
export const FLOOR = 'floor: pop, Promise.resolve, push';
/** Name of the least that lending with waits takes. */
export const SHARED_FLOOR = 'floor: a queue of resolvers';

const factory = {
  create: async (): Promise<object> => ({}),
  destroy: async (): Promise<void> => {},
};

/** A pool whose resources are acquired and released. */
interface Resources {
  acquire(): Promise<object>;
  release(resource: object): unknown;
}

function genericPoolOf(acquireTimeoutMillis?: number): genericPool.Pool<object> {
  return genericPool.createPool(factory, {
    max: MAX,
    ...(acquireTimeoutMillis === undefined ? {} : { acquireTimeoutMillis }),
  });
}

function tarnPool(): Resources {
  return pending(new TarnPool<object>({ ...factory, min: 0, max: MAX }));
}

/** Adapts tarn, whose `acquire` returns an object with the promise in it. */
function pending(pool: TarnPool<object>): Resources {
  return { acquire: () => pool.acquire().promise, release: (resource) => pool.release(resource) };
}

function peers(): [name: string, pool: Resources][] {
  return [
    ['generic-pool', genericPoolOf()],
    ['generic-pool with acquireTimeoutMillis', genericPoolOf(30_000)],
    ['lightning-pool', createLightningPool(factory, { max: MAX })],
    [
      'sequelize-pool',
      new SequelizePool<object>({ ...factory, validate: () => true, min: 0, max: MAX }),
    ],
    ['tarn', tarnPool()],
  ];
}

/** A pool with its defaults: the acquire timeout is armed. */
function ours(): Pool<object> {
  return createPool(factory, { max: MAX });
}

function watched(): Pool<object> {
  const pool = ours();
  new Watchdog({ level: 'simple' }).watch(pool);
  return pool;
}

/** Pools that lend at once, the floor first. */
export function uncontended(): Contender[] {
  return [
    bareStack(),
    leasing('tenure lease', ours()),
    leasing('tenure lease, watched at simple', watched()),
    taking('tenure acquire', ours()),
    using('tenure use', ours()),
    trying(ours()),
    ...peers().map(([name, pool]) => taking(name, pool)),
    using('generic-pool use', genericPoolOf()),
  ];
}

/** Pools of 10 resources that 100 workers share, the floor first. */
export function contended(): Contender[] {
  return [
    byWorkers(SHARED_FLOOR, resolverQueue()),
    byWorkers('floor: a queue of resolvers, async', inAsyncFunction(resolverQueue())),
    byWorkersLeasing('tenure lease', ours()),
    byWorkersLeasing('tenure lease, watched at simple', watched()),
    byWorkers('tenure acquire', ours()),
    ...peers().map(([name, pool]) => byWorkers(name, pool)),
  ];
}

function bareStack(): Contender {
  const stack = Array.from({ length: MAX }, () => ({}));
  return {
    name: FLOOR,
    async run(loans) {
      for (let i = 0; i < loans; i++) stack.push((await Promise.resolve(stack.pop())) as object);
    },
  };
}

function leasing(name: string, pool: Pool<object>): Contender {
  return {
    name,
    async run(loans) {
      for (let i = 0; i < loans; i++) void (await pool.lease()).release();
    },
  };
}

function taking(name: string, pool: Resources): Contender {
  return {
    name,
    async run(loans) {
      for (let i = 0; i < loans; i++) void pool.release(await pool.acquire());
    },
  };
}

function using(
  name: string,
  pool: { use(fn: () => Promise<void>): PromiseLike<unknown> },
): Contender {
  const nothing = async (): Promise<void> => {};
  return {
    name,
    async run(loans) {
      for (let i = 0; i < loans; i++) await pool.use(nothing);
    },
  };
}

function trying(pool: Pool<object>): Contender {
  return {
    name: 'tenure tryLease',
    async run(loans) {
      await pool.use(() => {});
      for (let i = 0; i < loans; i++) void pool.tryLease()?.release();
    },
  };
}

/** The least that a pool with waiters can do. */
function resolverQueue(): Resources {
  const stack = Array.from({ length: MAX }, () => ({}));
  const waiting: (((resource: object) => void) | undefined)[] = [];
  let head = 0;
  return {
    acquire() {
      const resource = stack.pop();
      return resource === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(resource);
    },
    release(resource) {
      const next = waiting[head];
      if (next === undefined) {
        stack.push(resource);
        return;
      }
      waiting[head++] = undefined;
      if (head === 4_096) {
        waiting.splice(0, head);
        head = 0;
      }
      next(resource);
    },
  };
}

function inAsyncFunction(floor: Resources): Resources {
  return {
    acquire: async () => floor.acquire(),
    release: (resource) => floor.release(resource),
  };
}

function byWorkers(name: string, pool: Resources): Contender {
  return {
    name,
    async run(loans) {
      const work = async (): Promise<void> => {
        for (let i = 0; i < loans / WORKERS; i++) {
          const resource = await pool.acquire();
          await null;
          void pool.release(resource);
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
    },
  };
}

function byWorkersLeasing(name: string, pool: Pool<object>): Contender {
  return {
    name,
    async run(loans) {
      const work = async (): Promise<void> => {
        for (let i = 0; i < loans / WORKERS; i++) {
          const lease = await pool.lease();
          await null;
          void lease.release();
        }
      };
      await Promise.all(Array.from({ length: WORKERS }, work));
    },
  };
}
