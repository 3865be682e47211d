/** Faults of other pools, by their public reports, in short: each row gives what a user sees, and nothing of it may change. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { type Outcome, outcomeOf } from './outcome.js';
import { hold, letGo } from './strict-factory.js';

type Setting = ReturnType<typeof openPool>;

/** What a row looks at, and what it has to see. The strict factory fails if more than `max` things are alive. */
type Row = readonly [look: () => Promise<unknown>, expected: unknown];

const states = (outcomes: readonly (() => Outcome<unknown>)[]): string[] =>
  outcomes.map((outcome) => outcome().is);

/** Takes all resources and gives them back, so that all are idle. */
async function fill({ pool }: Setting): Promise<void> {
  const leases = await Promise.all(Array.from({ length: pool.max }, () => pool.lease()));
  for (const lease of leases) void lease.release();
}

/** Makes a source of numbers from 0 up to 1 that are spread evenly, and the same in each run. */
function spread(): () => number {
  let last = 0;
  return () => {
    last = (last + 0.618) % 1;
    return last;
  };
}

/** Ends a pool, and expects that nothing is alive. */
async function end({ pool, factory, clock }: Setting): Promise<void> {
  await Promise.all([pool.close({ graceMillis: 0, force: true }), clock.advance(10_000)]);
  expect([factory.alive, pool.stats().borrowed]).toEqual([0, 0]);
}

const REPORTS: Readonly<Record<string, Row>> = {
  'djc/bb8#167: resources that all come back broken, and twice as many callers': [
    async () => {
      const t = openPool({ max: 3 });
      const failing = Array.from({ length: 6 }, () =>
        outcomeOf(t.pool.use((_, context) => context.discard('broken'))),
      );
      await t.clock.advance(10);
      await end(t);
      return states(failing);
    },
    Array(6).fill('resolved'),
  ],
  'zio/zio#6834: all idle resources are invalid at once': [
    async () => {
      const t = openPool({ max: 3, testOnBorrow: true }, { validate: ({ id }) => id > 2 });
      await fill(t);
      const lent = await t.pool.use(({ id }) => id);
      await end(t);
      return lent;
    },
    3,
  ],
  'mperham/connection_pool#192: resources that are out while all are replaced count until they are back':
    [
      async () => {
        const t = openPool({ max: 2 });
        const [one, two] = await Promise.all([t.pool.lease(), t.pool.lease()]);
        void t.pool.invalidate();
        const next = outcomeOf(t.pool.use(() => t.factory.alive));
        await t.clock.advance(10);
        const before = next().is;
        one.release();
        await t.clock.advance(10);
        two.release();
        await end(t);
        return [before, next()];
      },
      ['pending', { is: 'resolved', value: 2 }],
    ],
  'npgsql/npgsql#5180: a sweep that finds old and unused resources leaves `min` of them': [
    async () => {
      const t = openPool({
        max: 5,
        min: 2,
        softIdleTimeoutMillis: 5_000,
        maxLifetimeMillis: 20_000,
        random: () => 0,
      });
      await fill(t);
      const sizes: number[] = [];
      for (let second = 0; second < 55; second++) {
        await t.clock.advance(1_000);
        sizes.push(t.pool.available);
      }
      await end(t);
      return [Math.min(...sizes), sizes.at(-1)];
    },
    [2, 2],
  ],
  'npgsql/npgsql#4373, MagicStack/asyncpg#389: unused resources leave also after all others broke, and without a loan':
    [
      async () => {
        const t = openPool({ max: 3, idleTimeoutMillis: 5_000 });
        await fill(t);
        await t.clock.advance(2_000);
        t.pool.evict(() => true, 'broken');
        await t.clock.advance(2_000);
        await t.pool.warmUp(2);
        await t.clock.advance(10_000);
        const { size } = t.pool;
        await end(t);
        return [size, { ...t.pool.stats().destroyedBy }];
      },
      [0, { broken: 3, idle: 2 }],
    ],
  'Vincit/tarn.js#61: a caller that comes after timeouts is served': [
    async () => {
      const t = openPool({ max: 1, acquireTimeoutMillis: 100 });
      const lease = await t.pool.lease();
      const late = [1, 2, 3].map(() => outcomeOf(t.pool.lease()));
      await t.clock.advance(101);
      void lease.release();
      const next = await t.pool.use(({ id }) => id);
      await end(t);
      return [...states(late), next];
    },
    ['rejected', 'rejected', 'rejected', 0],
  ],
  'eclipse-vertx/vertx-sql-client#1620: a timeout and a release in the same turn lose no resource':
    [
      async () => {
        const t = openPool({ max: 1, acquireTimeoutMillis: 100 });
        const lease = await t.pool.lease();
        const outcome = outcomeOf(t.pool.use(() => {}));
        t.clock.setTimer(() => void lease.release(), 100);
        await t.clock.advance(100);
        const next = await t.pool.use(({ id }) => id);
        await end(t);
        return [outcome().is !== 'pending', next];
      },
      [true, 0],
    ],
  'jackc/pgx#2560, brettwooldridge/HikariCP#2014: a resource that is never idle is replaced at its age':
    [
      async () => {
        const t = openPool({ max: 1, maxLifetimeMillis: 10_000, random: () => 0 });
        for (let loan = 0; loan < 250; loan++) {
          await t.pool.use(() => {});
          await t.clock.advance(100);
        }
        await end(t);
        return t.factory.creates;
      },
      3,
    ],
  'brianc/node-postgres#3696: `min` is filled without a caller when resources were used often enough':
    [
      async () => {
        const t = openPool({ max: 3, min: 3, maxUses: 1 });
        await t.pool.ready();
        for (let loan = 0; loan < 3; loan++) await t.pool.use(() => {});
        await t.clock.advance(10);
        const { available } = t.pool;
        await end(t);
        return available;
      },
      3,
    ],
  'OpenLiberty/open-liberty#16547: `min` is filled after an outage': [
    async () => {
      let isDown = true;
      const create = (): void => {
        if (isDown) throw new Error('down');
      };
      const t = openPool({ max: 3, min: 3 }, { create });
      await t.clock.advance(60_000);
      isDown = false;
      await t.clock.advance(6_000);
      const { available } = t.pool;
      await end(t);
      return available;
    },
    3,
  ],
  'agroal/agroal#182: a pool whose idle resources all hang serves its callers after one validateTimeoutMillis':
    [
      async () => {
        const validate = ({ id }: { readonly id: number }): unknown =>
          id < 5 ? new Promise(() => {}) : true;
        const t = openPool(
          { max: 5, testOnBorrow: true, validateTimeoutMillis: 1_000 },
          { validate },
        );
        await fill(t);
        const asked = Array.from({ length: 5 }, () => outcomeOf(t.pool.use(() => {})));
        await t.clock.advance(1_500);
        await end(t);
        return states(asked);
      },
      Array(5).fill('resolved'),
    ],
  'golang/go#39471: a pool that lends the newest shrinks after a burst, although it is in use': [
    async () => {
      const t = openPool({ max: 5, fifo: false, softIdleTimeoutMillis: 3_000 });
      await fill(t);
      for (let loan = 0; loan < 200; loan++) {
        await t.pool.use(() => {});
        await t.clock.advance(100);
      }
      const { size } = t.pool;
      await end(t);
      return size;
    },
    1,
  ],
  'gajus/slonik#633: close destroys every idle resource': [
    async () => {
      const t = openPool({ max: 5 });
      await fill(t);
      await t.pool.close();
      return [t.factory.alive, t.factory.destroyed.length];
    },
    [0, 5],
  ],
  'psycopg/psycopg#1275: an abort in the turn of the release loses no resource': [
    async () => {
      const t = openPool({ max: 1 });
      const lease = await t.pool.lease();
      const stop = new AbortController();
      const granted = outcomeOf(t.pool.use(() => 'lent', { signal: stop.signal }));
      void lease.release();
      stop.abort();
      await settle();
      const next = await t.pool.use(({ id }) => id);
      await end(t);
      return [granted(), next];
    },
    [{ is: 'resolved', value: 'lent' }, 0],
  ],
  'boostorg/mysql#509: a waiter that leaves in the turn of the release does not take the place of the next one':
    [
      async () => {
        const t = openPool({ max: 1 });
        const lease = await t.pool.lease();
        const stop = new AbortController();
        const waiting = [
          outcomeOf(t.pool.use(() => {}, { signal: stop.signal })),
          outcomeOf(t.pool.use(() => {})),
        ];
        stop.abort();
        void lease.release();
        await settle();
        await end(t);
        return states(waiting);
      },
      ['rejected', 'resolved'],
    ],
  'ClickHouse/clickhouse-go#1759, hibernate/hibernate-reactive#4133: callers that leave while their connection is made leave no place occupied':
    [
      async () => {
        const t = openPool({ max: 2 });
        for (let caller = 0; caller < 100; caller++) {
          const stop = new AbortController();
          const left = t.pool.use(() => {}, { signal: stop.signal }).catch(() => {});
          stop.abort();
          await left;
        }
        const both = await Promise.all([t.pool.lease(), t.pool.lease()]);
        for (const lease of both) void lease.release();
        const { size } = t.pool;
        await end(t);
        return size;
      },
      2,
    ],
  'jackc/pgx#1259: callers in a hurry do not make the pool connect again and again': [
    async () => {
      const create = (): Promise<void> =>
        new Promise((resolve) => void t.clock.setTimer(resolve, 1_000));
      const t: Setting = openPool({ max: 4 }, { create }, 8);
      for (let caller = 0; caller < 100; caller++) {
        const asked = t.pool.use(() => {}, { timeoutMillis: 10 }).catch(() => {});
        await t.clock.advance(10);
        await asked;
      }
      await t.clock.advance(2_000);
      await end(t);
      return t.factory.creates <= 12;
    },
    true,
  ],
  'myndzi/pool2#30: connections that take longer than callers wait are no more than `max`': [
    async () => {
      const create = (_: number, signal: AbortSignal): Promise<void> =>
        new Promise((resolve, reject) => {
          const timer = t.clock.setTimer(resolve, 15_000);
          signal.addEventListener('abort', () => {
            t.clock.clearTimer(timer);
            reject(signal.reason);
          });
        });
      const t: Setting = openPool({ max: 3, acquireTimeoutMillis: 2_000 }, { create });
      const asked: (() => Outcome<unknown>)[] = [];
      for (let second = 0; second < 40; second++) {
        asked.push(outcomeOf(t.pool.use(() => {})), outcomeOf(t.pool.use(() => {})));
        await t.clock.advance(1_000);
      }
      const last = states(asked.slice(-4));
      await t.clock.advance(20_000);
      const { size } = t.pool;
      await end(t);
      return [last, size];
    },
    [Array(4).fill('resolved'), 3],
  ],
  'brettwooldridge/HikariCP#1830, #1386: a full pool whose resources reach their age one after the other keeps `min`':
    [
      async () => {
        const random = spread();
        const t = openPool({ max: 12, min: 10, maxLifetimeMillis: 30_000, random });
        await t.pool.ready();
        const sizes: number[] = [];
        for (let second = 0; second < 200; second++) {
          await t.clock.advance(1_000);
          sizes.push(t.pool.available);
        }
        await end(t);
        return [Math.min(...sizes), t.factory.creates > 50];
      },
      [10, true],
    ],
  'brettwooldridge/HikariCP#983: one sweep destroys all resources that are idle for too long': [
    async () => {
      const t = openPool({ max: 70, idleTimeoutMillis: 10_000 });
      await fill(t);
      await t.clock.advance(11_000);
      const { size } = t.pool;
      await end(t);
      return size;
    },
    0,
  ],
  'jolestar/go-commons-pool#25: each waiter is served although each return fails': [
    async () => {
      const reset = (): never => {
        throw new Error('no reset');
      };
      const t = openPool({ max: 1 }, { reset });
      t.pool.on('factoryResetError', () => {});
      const asked = Array.from({ length: 3 }, () => outcomeOf(t.pool.use(() => {})));
      await t.clock.advance(100);
      await end(t);
      return states(asked);
    },
    Array(3).fill('resolved'),
  ],
  'apache/commons-pool#454 (POOL-431): destroy makes no replacement that nobody waits for, and does not fail with one':
    [
      async () => {
        let isDown = false;
        const create = (): void => {
          if (isDown) throw new Error('down');
        };
        const t = openPool({ max: 2 }, { create });
        const [one, two] = await Promise.all([t.pool.lease(), t.pool.lease()]);
        await one.destroy();
        const { creates } = t.factory;
        isDown = true;
        const asked = [1, 2].map(() => outcomeOf(t.pool.use(() => {})));
        const destroyed = outcomeOf(two.destroy());
        await settle();
        isDown = false;
        await t.clock.advance(100);
        await end(t);
        return [creates, destroyed().is, ...states(asked)];
      },
      [2, 'resolved', 'resolved', 'resolved'],
    ],
  'psycopg/psycopg#370, #1123: after an outage that broke all resources, callers are served and `min` is filled':
    [
      async () => {
        let isDown = false;
        const create = (): void => {
          if (isDown) throw new Error('down');
        };
        const t = openPool(
          { max: 5, min: 4, testOnBorrow: true },
          { create, validate: () => !isDown },
        );
        await fill(t);
        isDown = true;
        const early = outcomeOf(t.pool.use(() => {}, { timeoutMillis: 100 }));
        await t.clock.advance(60_000);
        isDown = false;
        await t.clock.advance(6_000);
        const { available } = t.pool;
        const asked = Array.from({ length: 12 }, () => outcomeOf(t.pool.use(() => {})));
        await t.clock.advance(100);
        await end(t);
        return [early().is, available, new Set(states(asked))];
      },
      ['rejected', 4, new Set(['resolved'])],
    ],
  'psycopg/psycopg#709: a validation that always fails ends in a new resource, and not in a loop': [
    async () => {
      const validate = (): never => {
        throw new Error('wrong parameters');
      };
      const t = openPool({ max: 2, testOnBorrow: true }, { validate });
      t.pool.on('factoryValidateError', () => {});
      await fill(t);
      const lent = await t.pool.use(({ id }) => id);
      await end(t);
      return [lent, t.factory.creates];
    },
    [2, 3],
  ],
  'elixir-ecto/db_connection#39: the next holder waits until the return of the last one has ended':
    [
      async () => {
        const resets = new Gates();
        const t = openPool({ max: 1 }, { reset: () => resets.next() });
        void (await t.pool.lease()).release();
        const next = outcomeOf(t.pool.lease());
        await settle();
        const before = next().is;
        resets.at(0).open();
        await settle();
        const after = next().is;
        await end(t);
        return [before, after];
      },
      ['pending', 'resolved'],
    ],
  'jeremyevans/sequel#2226: resources that break while others wait for them': [
    async () => {
      const t = openPool({ max: 8 });
      const random = spread();
      const workers = Array.from({ length: 24 }, async () => {
        for (let loan = 0; loan < 100; loan++) {
          const lease = await t.pool.lease();
          hold(lease.resource);
          await undefined;
          letGo(lease.resource);
          if (random() < 0.2) void lease.destroy();
          else void lease.release();
        }
      });
      const all = outcomeOf(Promise.all(workers));
      await t.clock.advance(100);
      await end(t);
      return [all().is, t.pool.stats().loans];
    },
    ['resolved', 2_400],
  ],
  'piscinajs/piscina#788: callers that all leave at once cause no new resources': [
    async () => {
      const t = openPool({ max: 4 });
      const stop = new AbortController();
      const held = await Promise.all([1, 2, 3, 4].map(() => t.pool.lease()));
      const { signal } = stop;
      const waiting = Array.from({ length: 20 }, () => outcomeOf(t.pool.lease({ signal })));
      stop.abort();
      for (const lease of held) void lease.destroy();
      await t.clock.advance(100);
      const { size } = t.pool;
      await end(t);
      return [new Set(states(waiting)), size, t.factory.creates];
    },
    [new Set(['rejected']), 0, 4],
  ],
  'josdejong/workerpool#542: waits leave no listener on a signal that lives on': [
    async () => {
      const t = openPool({ max: 1 });
      const { signal } = new AbortController();
      for (let loan = 0; loan < 50; loan++) {
        await Promise.all([1, 2].map(() => t.pool.use(() => {}, { signal })));
      }
      await end(t);
      return getEventListeners(signal, 'abort').length;
    },
    0,
  ],
  'redisson/redisson#7206, DirtyHairy/async-mutex#54: waiters that timed out are in no figure, and take no place':
    [
      async () => {
        const t = openPool({ max: 2, acquireTimeoutMillis: 10 });
        const held = await Promise.all([t.pool.lease(), t.pool.lease()]);
        const late = Array.from({ length: 50 }, () => outcomeOf(t.pool.lease()));
        await t.clock.advance(20);
        for (const lease of held) void lease.release();
        const { available, pending, size } = t.pool;
        const again = await Promise.all([t.pool.lease(), t.pool.lease()]);
        const third = outcomeOf(t.pool.lease({ timeoutMillis: 0 }));
        await settle();
        for (const lease of again) void lease.release();
        await end(t);
        return [new Set(states(late)), available, pending, size, third().is];
      },
      [new Set(['rejected']), 2, 0, 2, 'rejected'],
    ],
  'npgsql/npgsql#1228: a borrowed resource counts towards `min`': [
    async () => {
      const t = openPool({
        max: 5,
        min: 1,
        softIdleTimeoutMillis: 1_000,
        idleTimeoutMillis: 5_000,
      });
      const [kept, other] = await Promise.all([t.pool.lease(), t.pool.lease()]);
      void other.release();
      await t.clock.advance(8_000);
      const { size } = t.pool;
      void kept.release();
      await end(t);
      return size;
    },
    1,
  ],
  'npgsql/npgsql#2813, #3013: a resource that was used lately is not idle': [
    async () => {
      const t = openPool({ max: 4, idleTimeoutMillis: 10_000, fifo: false });
      await fill(t);
      for (let round = 0; round < 20; round++) {
        const pair = await Promise.all([t.pool.lease(), t.pool.lease()]);
        for (const lease of pair) void lease.release();
        await t.clock.advance(2_000);
      }
      const { size } = t.pool;
      await end(t);
      return [size, t.factory.creates];
    },
    [2, 4],
  ],
  'MagicStack/asyncpg#431: a reset that hangs gives the place to the next caller': [
    async () => {
      const t = openPool(
        { max: 1, validateTimeoutMillis: 1_000 },
        { reset: () => new Promise(() => {}) },
      );
      t.pool.on('factoryResetError', () => {});
      void (await t.pool.lease()).release();
      const next = outcomeOf(t.pool.lease());
      await t.clock.advance(1_100);
      const { is } = next();
      await end(t);
      return is;
    },
    'resolved',
  ],
};

test.each(Object.entries(REPORTS))('%s', async (_, [look, expected]) => {
  expect(await look()).toEqual(expected);
});
