/** Faults of other pools, by their public reports, in short: each row gives what a user sees, and nothing of it may change. */
import { expect, test } from 'vitest';
import { openPool } from './open-pool.js';
import { type Outcome, outcomeOf } from './outcome.js';

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
};

test.each(Object.entries(REPORTS))('%s', async (_, [look, expected]) => {
  expect(await look()).toEqual(expected);
});
