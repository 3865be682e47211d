import { expect, test } from 'vitest';
import {
  createKeyedPool,
  createPool,
  type Factory,
  type Lease,
  type Pool,
  type PoolOptions,
} from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { outcomeOf } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

/** A pool with `count` idle resources. */
async function idlePool(idle: number, options: PoolOptions, factory = new StrictFactory(10)) {
  const clock = new FakeClock();
  const pool = createPool(factory, { clock, random: () => 0, ...options });
  const leases = await Promise.all(Array.from({ length: idle }, () => pool.lease()));
  for (const lease of leases) lease[Symbol.dispose]();
  return { pool, clock, factory };
}

test('idle resources are destroyed after 10 minutes, never earlier, and soon after', async () => {
  const { pool, clock, factory } = await idlePool(3, {});
  await clock.advance(600_000);
  expect(pool.available).toBe(3);
  await clock.advance(2_000);
  expect([pool.available, pool.size]).toEqual([0, 0]);
  expect(factory.destroyed).toEqual(['0 idle', '1 idle', '2 idle']);
});

test('a loan restarts the idle time', async () => {
  const { pool, clock } = await idlePool(1, { idleTimeoutMillis: 10_000 });
  for (let i = 0; i < 10; i++) {
    await clock.advance(9_000);
    (await pool.lease())[Symbol.dispose]();
  }
  expect(pool.stats()).toMatchObject({ available: 1, created: 1 });
});

test('an idle timeout shorter than a tick does not end early', async () => {
  const { pool, clock } = await idlePool(1, { idleTimeoutMillis: 500 });
  await clock.advance(999);
  (await pool.lease())[Symbol.dispose]();
  await clock.advance(1);
  expect(pool.available).toBe(1);
});

test('softIdleTimeoutMillis shrinks to min and stops there', async () => {
  const { pool, clock } = await idlePool(5, { min: 2, softIdleTimeoutMillis: 1_000 });
  await clock.advance(10_000);
  expect(pool.available).toBe(2);
});

test('idleTimeoutMillis goes below min, and min is filled up again', async () => {
  const { pool, clock, factory } = await idlePool(2, { min: 2, max: 2, idleTimeoutMillis: 1_000 });
  await clock.advance(3_000);
  expect(factory.destroyed.length).toBeGreaterThan(0);
  expect(pool.available).toBe(2);
});

test('numTestsPerEvictionRun limits one sweep, evictionRunIntervalMillis spaces them', async () => {
  const { pool, clock } = await idlePool(5, {
    idleTimeoutMillis: 1_000,
    evictionRunIntervalMillis: 10_000,
    numTestsPerEvictionRun: 2,
  });
  await clock.advance(9_000);
  expect(pool.available).toBe(5);
  await clock.advance(1_000);
  expect(pool.available).toBe(3);
  await clock.advance(9_000);
  expect(pool.available).toBe(3);
  await clock.advance(1_000);
  expect(pool.available).toBe(1);
});

test('numTestsPerEvictionRun keeps no idle resource from its keepalive or from the end of its lifetime', async () => {
  const factory = new StrictFactory(4, { validate: () => true });
  const { pool, clock } = await idlePool(
    4,
    { max: 4, numTestsPerEvictionRun: 1, keepaliveMillis: 5_000, maxLifetimeMillis: 30_000 },
    factory,
  );
  await clock.advance(10_000);
  expect(factory.validates).toBe(4);
  await clock.advance(30_000);
  expect(pool.size).toBe(0);
});

test('keepalives take turns when numTestsPerEvictionRun allows fewer than are due', async () => {
  const validated: number[] = [];
  const factory = new StrictFactory(6, { validate: ({ id }) => validated.push(id) });
  const { pool, clock } = await idlePool(
    6,
    { numTestsPerEvictionRun: 2, keepaliveMillis: 1_000 },
    factory,
  );
  await clock.advance(7_000);
  expect(validated.slice(0, 6).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  expect(validated.slice(6, 12).sort()).toEqual([0, 1, 2, 3, 4, 5]);
  await pool.close();
});

test('evictionRunIntervalMillis 0 evicts nothing', async () => {
  const { pool, clock } = await idlePool(2, {
    idleTimeoutMillis: 1_000,
    evictionRunIntervalMillis: 0,
  });
  await clock.advance(100_000);
  expect(pool.available).toBe(2);
});

test('a lifetime ends while idle, on return and on borrow, but never during a loan', async () => {
  const { pool, clock, factory } = await idlePool(1, { maxLifetimeMillis: 10_000, max: 1 });
  const lease = await pool.lease();
  await clock.advance(20_000);
  expect(lease.resource.state).toBe('alive');
  void lease.release();
  expect(factory.destroyed).toEqual(['0 lifetime']);

  const unswept = await idlePool(1, { maxLifetimeMillis: 10_000, evictionRunIntervalMillis: 0 });
  await unswept.clock.advance(20_000);
  using next = await unswept.pool.lease();
  expect(next.resource.id).toBe(1);
  expect(unswept.factory.destroyed).toEqual(['0 lifetime']);
});

test('resources created together are not destroyed together', async () => {
  let draw = 0;
  const { pool, clock } = await idlePool(4, {
    maxLifetimeMillis: 100_000,
    random: () => draw++ / 4,
  });
  await clock.advance(90_500);
  expect(pool.available).toBe(4);
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) {
    await clock.advance(2_500);
    counts.push(pool.available);
  }
  expect(counts).toEqual([3, 2, 1, 0]);
});

test('maxUses destroys a resource after that many loans', async () => {
  const factory = new StrictFactory(1);
  const pool = createPool(factory, { max: 1, maxUses: 3, clock: new FakeClock() });
  const ids: number[] = [];
  for (let i = 0; i < 1_000; i++) ids.push(await pool.use((thing) => thing.id));
  expect(ids).toEqual(Array.from({ length: 1_000 }, (_, i) => Math.floor(i / 3)));
  expect(factory.destroyed).toEqual(Array.from({ length: 333 }, (_, i) => `${i} uses`));
});

test('there is one background timer, and none while there is nothing to sweep', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(10), { clock, idleTimeoutMillis: 1_000 });
  expect(clock.pendingTimers).toBe(0);
  const leases = await Promise.all(Array.from({ length: 10 }, () => pool.lease()));
  for (const lease of leases) lease[Symbol.dispose]();
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([1, 0]);
  await clock.advance(5_000);
  expect([pool.size, clock.pendingTimers]).toEqual([0, 0]);
  await (await pool.lease()).destroy();
  expect(clock.pendingTimers).toBe(0);
});

test('a resource being destroyed counts towards max until it is gone', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(1, { destroy: () => gates.next() });
  const pool = createPool(factory, { max: 1, clock });
  const destroyed = outcomeOf((await pool.lease()).destroy());
  const next = outcomeOf(pool.lease());
  await settle();
  expect(pool.stats()).toMatchObject({ size: 1, destroying: 1, creating: 0 });
  expect([destroyed().is, next().is]).toEqual(['pending', 'pending']);
  gates.at(0).open();
  await settle();
  expect([destroyed().is, next().is]).toEqual(['resolved', 'resolved']);
});

test('a destroy that hangs or fails is reported, and its place is free again', async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const failure = new Error('already gone');
  const destroyable = createPool(
    {
      create: () => ({}),
      destroy: (): Promise<never> => (clock.now() > 2_000 ? Promise.reject(failure) : hang()),
    },
    { max: 1, clock },
  );
  destroyable.on('factoryDestroyError', (error) => errors.push(error));
  const first = outcomeOf((await destroyable.lease()).destroy());
  const next = outcomeOf(destroyable.lease());
  await clock.advance(4_999);
  expect([first().is, next().is]).toEqual(['pending', 'pending']);
  await clock.advance(1);
  expect([first().is, next().is]).toEqual(['resolved', 'resolved']);
  expect(errors).toMatchObject([{ code: 'TENURE_POOL_DESTROY_TIMEOUT', phase: 'destroy' }]);
  const outcome = next();
  if (outcome.is === 'resolved') await outcome.value.destroy();
  expect(errors[1]).toBe(failure);
  expect(destroyable.size).toBe(0);
});

function hang(): Promise<never> {
  return new Promise(() => {});
}

test('`min` is filled up at once beside a `destroy` that hangs, as far as `max` leaves room', async () => {
  const gates = new Gates();
  const { pool, factory, clock } = openPool({ min: 3, max: 5 }, { destroy: () => gates.next() }, 5);
  await pool.ready();
  pool.evict(() => true);
  await settle();
  expect(pool.stats()).toMatchObject({ size: 5, destroying: 3, available: 2 });
  gates.at(0).open();
  await settle();
  expect(pool.stats()).toMatchObject({ size: 5, destroying: 2, available: 3 });
  await clock.advance(5_000);
  expect(pool.stats()).toMatchObject({ size: 3, destroying: 0, available: 3 });
  expect(factory.creates).toBe(6);
  for (let gate = 1; gate < 6; gate++) gates.at(gate).open();
  await pool.close();
});

test('the `min` of a key is filled up beside a `destroy`, as far as `maxTotal` leaves room', async () => {
  const gates = new Gates();
  const factory = { create: () => ({}), destroy: () => gates.next() };
  const pools = createKeyedPool((_key: string) => factory, { min: 1, max: 2, maxTotal: 3 });
  await Promise.all([pools.pool('a').ready(), pools.pool('b').ready()]);
  pools.evict(() => true);
  expect(pools.stats()).toMatchObject({ size: 3, destroying: 2, available: 1 });
  gates.at(0).open();
  await settle();
  expect(pools.stats()).toMatchObject({ size: 3, destroying: 1, available: 2 });
  for (let gate = 1; gate < 4; gate++) gates.at(gate).open();
  await pools.close();
});

test('tryLease destroys an expired resource and lends the next one', async () => {
  const draws = [0.9, 0];
  const { pool, clock, factory } = await idlePool(2, {
    maxLifetimeMillis: 100_000,
    evictionRunIntervalMillis: 0,
    random: () => draws.shift() as number,
  });
  await clock.advance(95_000);
  using lease = pool.tryLease();
  expect([lease?.resource.id, factory.destroyed]).toEqual([1, ['0 lifetime']]);
});

/** A pool with so many idle resources, whose factory never returns a promise. */
async function synchronousPool(
  idle: number,
  options: PoolOptions,
  steps: Partial<Factory<object>> = {},
) {
  const clock = new FakeClock();
  const pool = createPool(
    { create: () => ({}), destroy: () => {}, validate: () => true, ...steps },
    { clock, ...options },
  );
  await pool.warmUp(idle);
  return { pool, clock };
}

test('the sweep ends with the last resource, also if destroy is synchronous', async () => {
  const { pool, clock } = await synchronousPool(2, { idleTimeoutMillis: 1_000 });
  await clock.advance(5_000);
  expect([pool.size, clock.pendingTimers]).toEqual([0, 0]);
});

test('the sweep destroys no resource that was lent while it was sweeping', async () => {
  let lease: Lease<object> | undefined;
  const destroy = () => {
    lease ??= pool.tryLease();
  };
  const { pool, clock } = await synchronousPool(3, { idleTimeoutMillis: 1_000 }, { destroy });
  await clock.advance(5_000);
  expect(pool.isBorrowedResource(lease?.resource as object)).toBe(true);
  expect(pool.stats()).toMatchObject({ size: 1, borrowed: 1, destroyed: 2 });
  lease?.[Symbol.dispose]();
});

test('a keepalive validates no resource that was lent while it was validating another', async () => {
  let lease: Lease<object> | undefined;
  let validations = 0;
  const validate = () => {
    lease ??= pool.tryLease();
    validations++;
    return true;
  };
  const { pool, clock } = await synchronousPool(2, { keepaliveMillis: 1_000 }, { validate });
  await clock.advance(2_000);
  expect([validations, pool.borrowed, pool.available]).toEqual([1, 1, 1]);
  lease?.[Symbol.dispose]();
  await pool.close();
});

test('sweeps are never closer than evictionRunIntervalMillis', async () => {
  const { pool, clock } = await idlePool(1, {
    idleTimeoutMillis: 100,
    evictionRunIntervalMillis: 1_500,
  });
  await clock.advance(1_500);
  await pool.use(() => {});
  await clock.advance(2_400);
  expect(pool.available, 'the first sweep was 2 s after the start').toBe(1);
  await clock.advance(100);
  expect(pool.available).toBe(0);
});

test('a sweep evicts what was idle for long enough before it, and validates what is due, as generic-pool does', async () => {
  const factory = new StrictFactory(1, { validate: () => true });
  const { pool, clock } = await idlePool(
    1,
    { idleTimeoutMillis: 60_000, keepaliveMillis: 30_000, evictionRunIntervalMillis: 40_000 },
    factory,
  );
  await clock.advance(40_000);
  expect(factory.validates).toBe(1);
  await clock.advance(40_000);
  expect(pool.size).toBe(0);
});

test('a pool in use does not lose all its idle resources at once', async () => {
  const { pool, clock } = await idlePool(8, { idleTimeoutMillis: 5_000, fifo: true });
  await clock.advance(4_900);
  const sizes: number[] = [];
  for (let tick = 0; tick < 6; tick++) {
    (await pool.lease())[Symbol.dispose]();
    await clock.advance(1_000);
    sizes.push(pool.available);
  }
  for (const [tick, available] of sizes.entries()) {
    expect(available).toBeGreaterThanOrEqual(Math.floor((sizes[tick - 1] ?? 8) / 2));
  }
  expect(sizes.at(-1)).toBeLessThan(8);
  await pool.close();
});

test('a resource that `min` keeps leaves only when its replacement is there', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(10, { create: () => gates.next() });
  const clock = new FakeClock();
  const pool = createPool(factory, {
    min: 2,
    max: 4,
    maxLifetimeMillis: 10_000,
    random: () => 0,
    clock,
  });
  for (const gate of [0, 1]) gates.at(gate).open();
  await pool.ready();
  await clock.advance(20_000);
  expect([pool.available, factory.destroyed.length]).toEqual([2, 0]);
  for (let gate = 2; gate < 6; gate++) {
    gates.at(gate).open();
    await clock.advance(2_000);
    expect(pool.available).toBeGreaterThanOrEqual(2);
  }
  expect(factory.destroyed.slice(0, 2)).toEqual(['0 lifetime', '1 lifetime']);
  await pool.close();
});

test('keepalives take a quarter of the idle resources out of service at a time: HikariCP#1699, #638', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(10, { validate: () => gates.next() });
  const { pool, clock } = await idlePool(8, { keepaliveMillis: 5_000 }, factory);
  await clock.advance(7_000);
  expect(pool.stats()).toMatchObject({ available: 6, validating: 2 });
  expect(pool.tryLease()).toBeDefined();
  for (let gate = 0; gate < 8; gate++) {
    gates.at(gate).open();
    await settle();
    expect(pool.stats().validating).toBeLessThanOrEqual(2);
  }
  expect(factory.validates, 'all but the one that is lent').toBe(7);
  await pool.close({ graceMillis: 0, force: true });
});

test('a resource that is lent while its replacement is created is not destroyed under its holder', async () => {
  const clock = new FakeClock();
  const leases: (Lease<object> | undefined)[] = [];
  const destroyed: object[] = [];
  const pool: Pool<object> = createPool(
    {
      create: () => {
        if (clock.now() > 5_000) leases.push(pool.tryLease());
        return {};
      },
      destroy: (resource) => void destroyed.push(resource),
    },
    { min: 1, max: 2, idleTimeoutMillis: 10_000, autostart: false, clock },
  );
  pool.start();
  await clock.advance(15_000);
  expect(leases.length).toBe(1);
  expect(destroyed).toEqual([]);
  expect([pool.borrowed, pool.size]).toEqual([1, 2]);
  void leases[0]?.release();
  await pool.close();
  expect(destroyed.length).toBe(2);
});
