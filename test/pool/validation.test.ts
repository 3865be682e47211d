import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

const broken = new Error('broken');
const WAYS_TO_BE_INVALID = {
  false: () => false,
  throws: () => {
    throw broken;
  },
  rejects: () => Promise.reject(broken),
  hangs: () => new Promise<never>(() => {}),
};

for (const [way, validate] of Object.entries(WAYS_TO_BE_INVALID)) {
  test(`testOnBorrow: validate ${way}: destroyed, and the caller gets another`, async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    const factory = new StrictFactory(1, { validate });
    const pool = createPool(factory, { max: 1, testOnBorrow: true, clock });
    pool.on('factoryValidateError', (error) => errors.push(error));
    (await pool.lease())[Symbol.dispose]();
    const asked = outcomeOf(pool.lease());
    await clock.advance(5_000);
    const outcome = asked();
    if (outcome.is !== 'resolved') throw new Error(outcome.is);
    expect(outcome.value.resource.id).toBe(1);
    expect(factory.destroyed).toEqual(['0 invalid']);
    expect(pool.size).toBe(1);
    if (way === 'hangs') expect(errors).toMatchObject([{ code: 'TENURE_POOL_VALIDATE_TIMEOUT' }]);
    else expect(errors).toEqual(way === 'false' ? [] : [broken]);
    outcome.value[Symbol.dispose]();
  });

  test(`testOnReturn: validate ${way}: destroyed, and its place is free`, async () => {
    allowLeaks();
    const clock = new FakeClock();
    const factory = new StrictFactory(1, { validate });
    const pool = createPool(factory, { max: 1, testOnReturn: true, clock });
    const returned = outcomeOf(pool.release(await pool.acquire()));
    await clock.advance(5_000);
    expect(returned().is).toBe('resolved');
    expect(factory.destroyed).toEqual(['0 invalid']);
    expect((await pool.acquire()).id).toBe(1);
  });
}

test('a new resource is lent without validation', async () => {
  allowLeaks();
  const factory = new StrictFactory(2, { validate: () => false });
  const pool = createPool(factory, { max: 2, testOnBorrow: true, clock: new FakeClock() });
  await Promise.all([pool.lease(), pool.lease()]);
  expect(factory.validates).toBe(0);
});

test('a validate that refuses every resource leads to a new resource, not to a loop', async () => {
  allowLeaks();
  const factory = new StrictFactory(3, { validate: () => false });
  const pool = createPool(factory, { max: 3, testOnBorrow: true, clock: new FakeClock() });
  const leases = await Promise.all([pool.lease(), pool.lease(), pool.lease()]);
  for (const lease of leases) lease[Symbol.dispose]();
  expect((await pool.lease()).resource.id).toBe(3);
  expect(factory.creates).toBeLessThanOrEqual(6);
});

test('reset runs before the resource is lent again, and the waiter gets it afterwards', async () => {
  allowLeaks();
  const gates = new Gates();
  const factory = new StrictFactory(1, { reset: () => gates.next() });
  const pool = createPool(factory, { max: 1, clock: new FakeClock() });
  const lease = await pool.lease();
  const next = outcomeOf(pool.lease());
  const returned = outcomeOf(Promise.resolve(lease.release()));
  await settle();
  expect([next().is, returned().is, pool.stats().resetting]).toEqual(['pending', 'pending', 1]);
  gates.at(0).open();
  await settle();
  expect([next().is, returned().is, factory.creates]).toEqual(['resolved', 'resolved', 1]);
});

test('a synchronous reset makes no promise', async () => {
  const resets: object[] = [];
  const pool = createPool(
    { create: () => ({}), destroy: () => {}, reset: (thing) => void resets.push(thing) },
    { clock: new FakeClock() },
  );
  const lease = await pool.lease();
  expect(lease.release()).toBeUndefined();
  expect([pool.available, resets.length]).toEqual([1, 1]);
});

test('a reset that fails or hangs destroys the resource', async () => {
  for (const way of ['throws', 'rejects', 'hangs'] as const) {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    const factory = new StrictFactory(1, { reset: WAYS_TO_BE_INVALID[way] });
    const pool = createPool(factory, { max: 1, clock });
    pool.on('factoryResetError', (error) => errors.push(error));
    {
      using _lease = await pool.lease();
    }
    await clock.advance(5_000);
    expect(factory.destroyed).toEqual(['0 reset']);
    expect(errors).toHaveLength(1);
    expect(pool.size).toBe(0);
  }
});

test('a validation that ends after its timeout is ignored', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const gates = new Gates<boolean>();
  const factory = new StrictFactory(1, { validate: () => gates.next() });
  const pool = createPool(factory, { max: 1, testOnBorrow: true, clock });
  (await pool.lease())[Symbol.dispose]();
  const asked = outcomeOf(pool.lease());
  await clock.advance(5_000);
  expect(asked().is).toBe('resolved');
  gates.at(0).open(true);
  await settle();
  expect([pool.size, pool.available, factory.destroyed]).toEqual([1, 0, ['0 invalid']]);
});

test('the resources of two concurrent callers are validated concurrently', async () => {
  const gates = new Gates<boolean>();
  const factory = new StrictFactory(2, { validate: () => gates.next() });
  const pool = createPool(factory, { max: 2, testOnBorrow: true });
  await pool.warmUp();
  const both = [pool.lease(), pool.lease()];
  expect(pool.stats()).toMatchObject({ validating: 2, available: 0, pending: 2 });
  gates.at(0).open(true);
  gates.at(1).open(true);
  for (const lease of await Promise.all(both)) lease[Symbol.dispose]();
});

test('a resource that a listener releases during a creation is validated for the waiter at once', async () => {
  allowLeaks();
  let isDown = false;
  const pool = createPool(
    {
      create: () => {
        if (isDown) throw broken;
        return {};
      },
      destroy: () => {},
      validate: () => true,
    },
    { max: 2, testOnBorrow: true, clock: new FakeClock() },
  );
  const held = await pool.lease();
  isDown = true;
  pool.on('factoryCreateError', () => held[Symbol.dispose]());
  const waiting = outcomeOf(pool.lease());
  await settle();
  expect(waiting().is).toBe('resolved');
});

test('no more resources are validated than callers wait, and none that has expired', async () => {
  const clock = new FakeClock();
  const gates = new Gates<boolean>();
  const factory = new StrictFactory(3, { validate: () => gates.next() });
  const pool = createPool(factory, {
    max: 3,
    testOnBorrow: true,
    maxLifetimeMillis: 10_000,
    evictionRunIntervalMillis: 0,
    clock,
  });
  await pool.warmUp();
  const waiting = pool.lease();
  expect(pool.stats()).toMatchObject({ validating: 1, available: 2 });
  gates.at(0).open(true);
  (await waiting)[Symbol.dispose]();
  await clock.advance(20_000);
  (await pool.lease())[Symbol.dispose]();
  expect([factory.validates, pool.stats().destroyedBy]).toEqual([1, { lifetime: 3 }]);
});

test('a returned resource is validated only with testOnReturn, also if it is reset', async () => {
  const factory = new StrictFactory(1, { reset: () => true, validate: () => true });
  const pool = createPool(factory, { max: 1, clock: new FakeClock() });
  await pool.release(await pool.acquire());
  expect([factory.resets, factory.validates]).toEqual([1, 0]);
  await pool.close();
});

test('validateAfterIdleMillis lends without validation what was used or validated a moment ago', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { validate: () => true });
  const pool = createPool(factory, {
    max: 1,
    testOnBorrow: true,
    validateAfterIdleMillis: 500,
    clock,
  });
  for (const [pauseMillis, validates] of [
    [0, 0],
    [499, 0],
    [500, 1],
    [100, 1],
    [2_000, 2],
  ] as const) {
    await clock.advance(pauseMillis);
    (await pool.lease())[Symbol.dispose]();
    expect(factory.validates).toBe(validates);
  }
  await pool.close();
});

test('validateAfterIdleMillis counts a validation for a caller that has left', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(1, { validate: () => gates.next() });
  const options = { max: 1, testOnBorrow: true, validateAfterIdleMillis: 500, clock };
  const pool = createPool(factory, options);
  await pool.warmUp();
  await clock.advance(1_000);
  const leaving = new AbortController();
  const left = rejection(pool.lease({ signal: leaving.signal }));
  leaving.abort();
  await left;
  gates.at(0).open();
  await settle();
  await clock.advance(499);
  const next = outcomeOf(pool.lease());
  await settle();
  expect([next().is, factory.validates]).toEqual(['resolved', 1]);
  await pool.close({ graceMillis: 0, force: true });
});

test('tryLease does not overtake a caller that waits for a validation', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(2, { validate: () => gates.next() });
  const options = { max: 2, testOnBorrow: true, validateAfterIdleMillis: 500, clock };
  const pool = createPool(factory, options);
  const [first, second] = [await pool.lease(), await pool.lease()];
  void first.release();
  await clock.advance(500);
  void second.release();
  const waiting = outcomeOf(pool.lease());
  await settle();
  expect([pool.stats().validating, pool.available, pool.pending]).toEqual([1, 1, 1]);
  expect(pool.tryLease()).toBeUndefined();
  await clock.advance(100);
  expect(waiting().is).toBe('resolved');
  gates.at(0).open();
  await settle();
  await pool.close({ graceMillis: 0, force: true });
});
