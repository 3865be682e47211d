import { expect, test } from 'vitest';
import { createPool, InvalidArgumentError, type PoolOptions } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

test('creates on demand, up to max, and lends returned resources again', async () => {
  const { pool, factory } = openPool({ max: 2 });
  expect(pool.size).toBe(0);
  const first = await pool.lease();
  const second = await pool.lease();
  expect([pool.size, pool.borrowed, pool.spareResourceCapacity]).toEqual([2, 2, 0]);
  expect(first.resource).not.toBe(second.resource);
  const third = pool.lease();
  expect(pool.pending).toBe(1);
  const { resource } = first;
  void first.release();
  using lease = await third;
  expect(lease.resource).toBe(resource);
  expect(factory.creates).toBe(2);
  second[Symbol.dispose]();
});

test('creates min resources without a request, and no more', async () => {
  const { pool, factory } = openPool({ min: 3, max: 5 });
  await pool.ready();
  expect([pool.size, pool.available, factory.creates]).toEqual([3, 3, 3]);
});

test('with autostart off, min is filled by the first lease, or by start()', async () => {
  const { pool, factory } = openPool({ min: 2, autostart: false });
  expect(factory.creates).toBe(0);
  (await pool.lease())[Symbol.dispose]();
  await settle();
  expect(factory.creates).toBe(2);
  const other = openPool({ min: 1, autostart: false });
  other.pool.start();
  other.pool.start();
  await settle();
  expect(other.factory.creates).toBe(1);
});

test('idle resources are lent longest idle first, or newest first with fifo off', async () => {
  allowLeaks();
  for (const fifo of [true, false]) {
    const { pool } = openPool({ max: 2, fifo });
    const first = await pool.acquire();
    const second = await pool.acquire();
    await pool.release(first);
    await pool.release(second);
    expect(await pool.acquire()).toBe(fifo ? first : second);
  }
});

test('tryLease takes only idle resources, and none that a waiter needs', async () => {
  const { pool, factory } = openPool({ max: 1 });
  expect(pool.tryLease()).toBeUndefined();
  expect(factory.creates).toBe(0);
  const lease = await pool.lease();
  expect(pool.tryLease()).toBeUndefined();
  const waiting = pool.lease();
  void lease.release();
  expect(pool.tryLease()).toBeUndefined();
  void (await waiting).release();
  using taken = pool.tryLease();
  expect(taken?.resource.id).toBe(0);
});

test('tryLease takes no resource that must be validated first', async () => {
  const { pool } = openPool({ testOnBorrow: true }, { validate: () => true });
  (await pool.lease())[Symbol.dispose]();
  expect(pool.available).toBe(1);
  expect(pool.tryLease()).toBeUndefined();
});

test('falsy values can be resources', async () => {
  for (const falsy of [0, '', null, undefined, false, Number.NaN]) {
    const destroyed: unknown[] = [];
    const pool = createPool(
      { create: () => falsy, destroy: (resource) => void destroyed.push(resource) },
      { max: 1, clock: new FakeClock() },
    );
    expect(await pool.acquire()).toBe(falsy);
    expect(pool.isBorrowedResource(falsy)).toBe(true);
    await pool.release(falsy);
    expect(pool.isBorrowedResource(falsy)).toBe(false);
    using lease = await pool.lease();
    expect(lease.resource).toBe(falsy);
    lease[Symbol.dispose]();
    await pool.close();
    expect(destroyed).toEqual([falsy]);
  }
});

test('equal primitives count as separate resources: a pool of tokens is a semaphore', async () => {
  const pool = createPool(
    { create: () => 'token', destroy: () => {} },
    { max: 3, clock: new FakeClock() },
  );
  const tokens = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()]);
  const fourth = outcomeOf(pool.acquire());
  await pool.release('token');
  await settle();
  expect(fourth()).toEqual({ is: 'resolved', value: 'token' });
  await pool.release('token');
  expect([pool.available, pool.isBorrowedResource('token')]).toEqual([1, true]);
  expect(await pool.acquire()).toBe('token');
  await Promise.all(tokens.map((token) => pool.release(token)));
  expect([pool.available, pool.borrowed]).toEqual([3, 0]);
  expect(await rejection(pool.release('token'))).toMatchObject({
    code: 'TENURE_POOL_DOUBLE_RELEASE',
  });
  expect([pool.available, pool.borrowed]).toEqual([3, 0]);
  await pool.close();
});

test('use takes the resource back after a success, a rejection, a throw and a plain value', async () => {
  const { pool, factory } = openPool({ max: 1 });
  const boom = new Error('boom');
  expect(await pool.use(async (thing) => thing.id)).toBe(0);
  expect(await pool.use((thing) => thing.id)).toBe(0);
  expect(await rejection(pool.use(() => Promise.reject(boom)))).toBe(boom);
  expect(
    await rejection(
      pool.use(() => {
        throw boom;
      }),
    ),
  ).toBe(boom);
  expect([pool.available, pool.borrowed, factory.creates]).toEqual([1, 0, 1]);
  expect(factory.destroyed).toEqual([]);
});

test('use destroys a discarded resource when its function is done', async () => {
  const { pool, factory } = openPool({ max: 1 });
  await pool.use(async (_thing, context) => {
    context.discard('half-written protocol');
    await settle();
    expect(factory.destroyed).toEqual([]);
  });
  await settle();
  expect(factory.destroyed).toEqual(['0 half-written protocol']);
  expect(pool.size).toBe(0);
});

test('use passes its signal on', async () => {
  const { pool } = openPool();
  const { signal } = new AbortController();
  await pool.use((_thing, context) => expect(context.signal).toBe(signal), { signal });
});

test('maxWaitingClients: one caller more is rejected at once, with a class of its own', async () => {
  const { pool } = openPool({ max: 1, maxWaitingClients: 1 });
  const lease = await pool.lease();
  const waiting = pool.lease();
  expect(await rejection(pool.lease())).toMatchObject({
    name: 'PoolFullError',
    code: 'TENURE_POOL_FULL',
    phase: 'wait',
  });
  expect(pool.pending).toBe(1);
  void lease.release();
  (await waiting)[Symbol.dispose]();
});

test('maxWaitingClients 0 still lends a resource that can be created', async () => {
  const { pool } = openPool({ max: 2, maxWaitingClients: 0 });
  const [first, second] = await Promise.all([pool.lease(), pool.lease()]);
  expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_FULL' });
  first[Symbol.dispose]();
  second[Symbol.dispose]();
});

test('malformed options throw when the pool is created, and the error names the option', () => {
  const factory = new StrictFactory();
  const wrong: [object, RegExp][] = [
    [{ max: 0 }, /`max` must be an integer ≥ 1, got 0/],
    [{ max: '10' }, /`max`/],
    [{ min: 3, max: 2 }, /`min` must be at most `max`/],
    [{ acquireTimeoutMillis: 0 }, /`acquireTimeoutMillis`.*> 0/],
    [{ idletimeoutMillis: 5 }, /unknown option `idletimeoutMillis`/],
    [{ softIdleTimeoutMillis: -2 }, /`softIdleTimeoutMillis`/],
    [{ maxUses: 0 }, /`maxUses`/],
    [{ testOnBorrow: true }, /`testOnBorrow` needs a factory with validate/],
    [{ testOnReturn: true }, /`testOnReturn` needs a factory with validate/],
    [{ clock: {} }, /`clock`/],
  ];
  for (const [options, message] of wrong) {
    expect(() => createPool(factory, options as PoolOptions)).toThrow(message);
    expect(() => createPool(factory, options as PoolOptions)).toThrow(InvalidArgumentError);
  }
  for (const bad of [null, {}, { create() {} }, { create() {}, destroy() {}, validate: 1 }]) {
    expect(() => createPool(bad as never)).toThrow(InvalidArgumentError);
  }
});

test('malformed arguments reject, and no resource is lost', async () => {
  const { pool } = openPool({ max: 1 });
  for (const call of [
    () => pool.lease({ timeout: 5 } as never),
    () => pool.lease({ timeoutMillis: -1 }),
    () => pool.lease({ signal: {} as never }),
    () => pool.acquire('high' as never),
    () => pool.acquire(1.5),
    () => pool.use('fn' as never),
    () => pool.close({ grace: 1 } as never),
  ]) {
    expect(await rejection(call())).toBeInstanceOf(InvalidArgumentError);
  }
  expect(() => pool.on('error' as never, () => {})).toThrow(/`event` must be one of/);
  expect([pool.size, pool.pending, pool.borrowed]).toEqual([0, 0, 0]);
  (await pool.lease())[Symbol.dispose]();
});

test('a loan sets no timer of its own', async () => {
  const { pool, clock } = openPool();
  (await pool.lease())[Symbol.dispose]();
  expect(clock.foregroundTimers).toBe(0);
  const before = clock.pendingTimers;
  using lease = await pool.lease({ timeoutMillis: 5, signal: new AbortController().signal });
  expect(lease.resource.id).toBe(0);
  expect(clock.pendingTimers).toBe(before);
});

test('loans lists the resources that callers hold, and no others', async () => {
  const { pool } = openPool();
  const [lease, thing] = [await pool.lease(), await pool.acquire()];
  lease[Symbol.dispose]();
  expect(pool.loans()).toMatchObject([{ takenBy: 'acquire' }]);
  await pool.release(thing);
  expect(pool.loans()).toEqual([]);
});
