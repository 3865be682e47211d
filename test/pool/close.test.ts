import { expect, test } from 'vitest';
import { createPool, type Lease, LeasesOutError } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { outcomeOf, rejection } from './outcome.js';
import { type Steps, StrictFactory } from './strict-factory.js';

const closedError = { name: 'PoolClosedError', code: 'TENURE_POOL_CLOSED' };

const open = (max: number, steps: Steps = {}) => openPool({ max }, steps);

test('close destroys idle resources, waits for borrowed ones, and leaves nothing behind', async () => {
  const { pool, clock, factory } = open(2);
  const out = await pool.lease();
  (await pool.lease())[Symbol.dispose]();
  const closed = outcomeOf(pool.close());
  await settle();
  expect([factory.destroyed, closed().is]).toEqual([['1 close'], 'pending']);
  void out.release();
  await settle();
  expect(factory.destroyed).toEqual(['1 close', '0 close']);
  expect(closed().is).toBe('resolved');
  expect([pool.size, clock.pendingTimers]).toEqual([0, 0]);
});

test('close resolves only when the resources are gone', async () => {
  const gates = new Gates();
  const { pool } = open(1, { destroy: () => gates.next() });
  (await pool.lease())[Symbol.dispose]();
  const closed = outcomeOf(pool.close());
  await settle();
  expect(closed().is).toBe('pending');
  gates.at(0).open();
  await settle();
  expect(closed().is).toBe('resolved');
});

test('a closed pool rejects callers and waiters at once, with a class of its own', async () => {
  const { pool, factory } = open(1);
  const out = await pool.lease();
  const waiting = rejection(pool.lease());
  const closed = pool.close();
  expect(await waiting).toMatchObject(closedError);
  for (const call of [
    () => pool.lease(),
    () => pool.acquire(),
    () => pool.use(() => {}),
    () => pool.ready(),
  ]) {
    expect(await rejection(call())).toMatchObject(closedError);
  }
  expect(() => pool.tryLease()).toThrow(expect.objectContaining(closedError));
  pool.start();
  out[Symbol.dispose]();
  await closed;
  expect([factory.creates, factory.alive]).toEqual([1, 0]);
});

test('loans that are out after the grace are reported, and destroyed when they come back', async () => {
  const { pool, clock, factory } = open(2);
  const reports: unknown[] = [];
  pool.on('leasesOut', (loans) => reports.push(loans));
  const lease = await pool.lease();
  const thing = await pool.acquire();
  const closed = outcomeOf(pool.close({ graceMillis: 5_000 }));
  await clock.advance(4_999);
  expect(closed().is).toBe('pending');
  await clock.advance(1);
  const outcome = closed();
  if (outcome.is !== 'rejected') throw new Error(outcome.is);
  expect(clock.pendingTimers).toBe(0);
  expect(outcome.error).toBeInstanceOf(LeasesOutError);
  expect(outcome.error).toMatchObject({ code: 'TENURE_POOL_LEASES_OUT', phase: 'close' });
  expect(String(outcome.error)).toMatch(/2 still out 5000 ms after .*lease\(\) 5 s ago/);
  expect(reports).toMatchObject([[{ takenBy: 'lease' }, { takenBy: 'acquire' }]]);
  expect([lease.resource.state, factory.alive]).toEqual(['alive', 2]);
  void lease.release();
  await pool.release(thing);
  await pool.close();
  expect(factory.alive).toBe(0);
});

test('force destroys borrowed resources, and a later release by the holder does no harm', async () => {
  const { pool, clock, factory } = open(3);
  const reports: unknown[] = [];
  pool.on('leasesOut', (loans) => reports.push(loans));
  const lease = await pool.lease();
  const thing = await pool.acquire();
  const gates = new Gates();
  const using = pool.use(() => gates.next());
  await settle();
  await pool.close({ graceMillis: 0, force: true });
  expect(reports).toHaveLength(1);
  expect([pool.size, pool.borrowed, factory.alive]).toEqual([0, 0, 0]);
  expect(() => lease.resource).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_LEASE_ENDED' }),
  );
  void lease.release();
  await lease.destroy();
  expect(await rejection(pool.release(thing))).toMatchObject({
    code: 'TENURE_POOL_RELEASE_AFTER_DESTROY',
  });
  gates.at(0).open();
  await using;
  expect([pool.borrowed, factory.destroyed.length, clock.pendingTimers]).toEqual([0, 3, 0]);
});

test('close never hangs: a create, validate, reset or destroy that hangs, or a lost lease', async () => {
  const hang = () => new Promise(() => {});
  for (const hung of ['create', 'validate', 'reset', 'destroy'] as const) {
    const clock = new FakeClock();
    const factory = new StrictFactory(2, {});
    const pool = createPool(
      {
        create: (context: { signal: AbortSignal }) => factory.create(context),
        destroy: (thing, reason) => factory.destroy(thing, reason),
        validate: () => (hung === 'validate' ? (hang() as Promise<boolean>) : true),
        reset: () => (hung === 'reset' ? hang() : undefined),
      },
      {
        max: 2,
        testOnBorrow: true,
        createTimeoutMillis: Number.POSITIVE_INFINITY,
        validateTimeoutMillis: Number.POSITIVE_INFINITY,
        clock,
      },
    );
    (await pool.lease())[Symbol.dispose]();
    if (hung === 'create' || hung === 'destroy') factory.steps[hung] = hang;
    const waiters = [rejection(pool.lease()), rejection(pool.lease())];
    await Promise.allSettled(waiters);
    const closed = outcomeOf(pool.close({ graceMillis: 1_000, force: true }));
    await clock.advance(10_000);
    expect([hung, closed().is]).toEqual([hung, 'resolved']);
    expect([pool.size, clock.pendingTimers]).toEqual([0, 0]);
  }
});

test('a creation that ends after the close is destroyed, and its signal has aborted', async () => {
  const gates = new Gates();
  let told: AbortSignal | undefined;
  const { pool, clock, factory } = open(1, {
    create(_number, signal) {
      told = signal;
      return gates.next();
    },
  });
  const asked = rejection(pool.lease());
  const closed = outcomeOf(pool.close({ graceMillis: 1_000 }));
  expect(await asked).toMatchObject(closedError);
  expect(told?.aborted).toBe(true);
  await clock.advance(1_000);
  expect(closed().is).toBe('resolved');
  expect(clock.foregroundTimers).toBe(0);
  gates.at(0).open();
  await settle();
  expect(factory.destroyed).toEqual(['0 late']);
});

test('close may be called again, also with a shorter grace', async () => {
  const { pool, clock } = open(1);
  await pool.lease();
  const patient = outcomeOf(pool.close({ graceMillis: 60_000 }));
  const impatient = outcomeOf(pool.close({ graceMillis: 100, force: true }));
  await clock.advance(100);
  expect([patient().is, impatient().is]).toEqual(['resolved', 'resolved']);
  await pool.close();
  await pool[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test('await using closes the pool', async () => {
  const factory = new StrictFactory(1);
  {
    await using pool = createPool(factory, { clock: new FakeClock() });
    await pool.use(() => {});
  }
  expect([factory.things.length, factory.alive]).toEqual([1, 0]);
});

test('drain serves the waiters, rejects later callers, and settles when all resources are back', async () => {
  const { pool, factory } = open(1);
  const first = await pool.lease();
  const waiting = pool.lease();
  const drained = outcomeOf(pool.drain());
  expect(await rejection(pool.lease())).toMatchObject(closedError);
  void first.release();
  const second = await waiting;
  await settle();
  expect(drained().is).toBe('pending');
  void second.release();
  await settle();
  expect(drained().is).toBe('resolved');
  expect([pool.available, factory.alive]).toEqual([1, 1]);
  await pool.clear();
  expect([pool.size, factory.alive]).toEqual([0, 0]);
});

test('drain also settles when the waiters give up', async () => {
  const { pool, clock } = open(1);
  const lease = await pool.lease();
  const abort = new AbortController();
  const aborted = rejection(pool.lease({ signal: abort.signal }));
  const drained = outcomeOf(pool.drain());
  void lease.destroy();
  abort.abort();
  await aborted;
  await clock.advance(100);
  expect(drained().is).toBe('resolved');
});

test('clear destroys idle resources, those being created included, and creates min again', async () => {
  allowLeaks();
  const gates = new Gates();
  const clock = new FakeClock();
  const factory = new StrictFactory(3, { create: (number) => (number === 2 ? gates.next() : 0) });
  const pool = createPool(factory, { min: 3, max: 3, clock });
  const out = await pool.lease();
  const cleared = outcomeOf(pool.clear());
  await settle();
  expect([cleared().is, factory.destroyed]).toEqual(['pending', []]);
  gates.at(0).open();
  await settle();
  expect(cleared().is).toBe('resolved');
  expect(factory.destroyed).toEqual(['1 clear', '2 clear']);
  expect([pool.available, pool.borrowed, out.resource.state]).toEqual([2, 1, 'alive']);
});

test('clear destroys resources that are being validated or reset, and waits until they are gone', async () => {
  const [validates, resets] = [new Gates(), new Gates()];
  const clock = new FakeClock();
  const factory = new StrictFactory(2, {
    validate: () => validates.next(),
    reset: ({ id }) => (id === 1 ? resets.next() : undefined),
  });
  const pool = createPool(factory, {
    max: 2,
    keepaliveMillis: 5_000,
    validateTimeoutMillis: 60_000,
    clock,
  });
  const lease = await pool.lease();
  await pool.use(() => {});
  expect(pool.stats()).toMatchObject({ borrowed: 1, resetting: 1 });
  await lease.release();
  await clock.advance(7_000);
  expect(pool.stats()).toMatchObject({ validating: 1, resetting: 1 });
  const cleared = outcomeOf(pool.clear());
  await settle();
  expect([cleared().is, factory.destroyed]).toEqual(['pending', []]);
  validates.at(0).open();
  resets.at(0).open();
  await settle();
  expect([cleared().is, factory.destroyed]).toEqual(['resolved', ['0 clear', '1 clear']]);
  expect(pool.size).toBe(0);
});

test('a destruction that a caller waits for keeps the process alive, and one in the background does not', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(9, { destroy: () => new Promise(() => {}) });
  const pool = createPool(factory, { max: 9, idleTimeoutMillis: 5_000, clock });
  await pool.warmUp(1);
  await clock.advance(7_000);
  expect([pool.stats().destroying, clock.foregroundTimers]).toEqual([1, 0]);
  await clock.advance(10_000);
  const destroyedFor = async (wait: () => Promise<void>) => {
    await pool.warmUp(1);
    const waiting = outcomeOf(wait());
    await settle();
    const timers = clock.foregroundTimers;
    await clock.advance(6_000);
    return [timers, waiting().is];
  };
  expect(await destroyedFor(() => pool.clear())).toEqual([1, 'resolved']);
  expect(await destroyedFor(() => pool.invalidate())).toEqual([1, 'resolved']);
  const lease = await pool.lease();
  const invalidated = outcomeOf(pool.invalidate());
  void lease.release();
  expect(clock.foregroundTimers).toBe(1);
  await clock.advance(6_000);
  expect(invalidated().is).toBe('resolved');
  expect(await destroyedFor(() => pool.close({ graceMillis: 0 }))).toEqual([1, 'resolved']);
});

test('drain waits for the waiters, and settles when the last one times out or gives up', async () => {
  for (const ending of ['timeout', 'abort']) {
    const { pool, clock } = open(1, { create: () => new Promise(() => {}) });
    const abort = new AbortController();
    const waiting = outcomeOf(pool.lease({ timeoutMillis: 100, signal: abort.signal }));
    const drained = outcomeOf(pool.drain());
    await clock.advance(99);
    expect([waiting().is, drained().is]).toEqual(['pending', 'pending']);
    if (ending === 'timeout') await clock.advance(1);
    else abort.abort();
    await settle();
    expect([waiting().is, drained().is]).toEqual(['rejected', 'resolved']);
  }
});

test('drain settles when a close rejects the last waiter', async () => {
  const { pool, clock } = open(1, { create: () => new Promise(() => {}) });
  const waiting = rejection(pool.lease());
  const drained = outcomeOf(pool.drain());
  const closed = pool.close({ graceMillis: 1_000 });
  expect(await waiting).toMatchObject(closedError);
  expect(drained().is).toBe('resolved');
  await clock.advance(1_000);
  await closed;
});

test('drain refuses tryLease, and rejects the callers of ready', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { create: () => new Promise(() => {}) });
  const pool = createPool(factory, { min: 1, clock });
  const ready = rejection(pool.ready());
  await pool.drain();
  expect(await ready).toMatchObject(closedError);
  expect(() => pool.tryLease()).toThrow(expect.objectContaining(closedError));
});

test('drain settles when the last lease is destroyed, although its resource is not gone yet', async () => {
  const gates = new Gates();
  const { pool } = open(1, { destroy: () => gates.next() });
  const lease = await pool.lease();
  const drained = outcomeOf(pool.drain());
  const gone = outcomeOf(lease.destroy());
  await settle();
  expect([drained().is, gone().is]).toEqual(['resolved', 'pending']);
  gates.at(0).open();
  await pool.close();
});

test('drain waits for a resource that is being reset, or validated', async () => {
  const [resets, validations] = [new Gates(), new Gates()];
  const clock = new FakeClock();
  const factory = new StrictFactory(1, {
    reset: () => resets.next(),
    validate: () => validations.next(),
  });
  const pool = createPool(factory, { max: 1, keepaliveMillis: 1_000, clock });
  void (await pool.lease()).release();
  const drained = outcomeOf(pool.drain());
  await settle();
  expect(drained().is).toBe('pending');
  resets.at(0).open();
  await settle();
  expect(drained().is).toBe('resolved');
  await clock.advance(2_000);
  const again = outcomeOf(pool.drain());
  await settle();
  expect([pool.stats().validating, again().is]).toEqual([1, 'pending']);
  validations.at(0).open();
  await settle();
  expect(again().is).toBe('resolved');
});

test('a forced close destroys nothing twice, and leaves every figure at 0', async () => {
  const gates = new Gates();
  const { pool, factory } = open(3, {
    destroy: ({ id }) => (id === 0 ? gates.next() : undefined),
    reset: () => new Promise(() => {}),
  });
  const [first, second] = [await pool.lease(), await pool.lease(), await pool.lease()];
  void first.destroy();
  void second.release();
  const closed = pool.close({ graceMillis: 0, force: true });
  await settle();
  gates.at(0).open();
  await closed;
  expect(factory.destroyed).toEqual(['0 discarded', '1 close', '2 forced']);
  const { size, borrowed, creating, validating, resetting, destroying } = pool.stats();
  expect([size, borrowed, creating, validating, resetting, destroying]).toEqual([0, 0, 0, 0, 0, 0]);
});

test('a resource that was destroyed or given up during its reset is not validated', async () => {
  const resets = new Gates();
  const validated: unknown[] = [];
  const make = () =>
    createPool(
      {
        create: () => ({}),
        destroy: () => {},
        reset: () => resets.next(),
        validate: (resource) => validated.push(resource) > 0,
      },
      { testOnReturn: true, clock: new FakeClock() },
    );
  const closed = make();
  const evicted = make();
  for (const pool of [closed, evicted]) (await pool.lease())[Symbol.dispose]();
  await closed.close({ graceMillis: 0 });
  evicted.evict(() => true);
  resets.at(0).open();
  resets.at(1).open();
  await settle();
  expect(validated).toEqual([]);
  expect([closed, evicted].map((pool) => pool.stats().destroyedBy)).toEqual([
    { close: 1 },
    { evicted: 1 },
  ]);
  await evicted.close();
});

test('clear destroys no resource that was lent while it was clearing', async () => {
  let lease: Lease<object> | undefined;
  const destroy = () => {
    lease ??= pool.tryLease();
  };
  const pool = createPool({ create: () => ({}), destroy }, { max: 2, clock: new FakeClock() });
  await pool.warmUp(2);
  await pool.clear();
  expect(pool.isBorrowedResource(lease?.resource as object)).toBe(true);
  expect(pool.stats()).toMatchObject({ size: 1, borrowed: 1, destroyed: 1 });
  lease?.[Symbol.dispose]();
  await pool.close();
});

test('close waits until a resource that came too late is destroyed', async () => {
  const [creates, destroys] = [new Gates(), new Gates()];
  const clock = new FakeClock();
  const factory = new StrictFactory(2, {
    create: (number) => (number === 0 ? creates.next() : undefined),
    destroy: ({ id }) => (id === 1 ? destroys.next() : undefined),
  });
  const pool = createPool(factory, { max: 1, createTimeoutMillis: 100, createAttempts: 1, clock });
  const timedOut = outcomeOf(pool.lease());
  await clock.advance(100);
  (await pool.lease())[Symbol.dispose]();
  creates.at(0).open();
  await settle();
  const closed = outcomeOf(pool.close());
  await settle();
  expect([timedOut().is, closed().is, factory.destroyed]).toEqual([
    'rejected',
    'pending',
    ['1 late', '0 close'],
  ]);
  destroys.at(0).open();
  await settle();
  expect(closed().is).toBe('resolved');
});

test('close rejects the callers of ready at once, also while a creation hangs', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { create: () => new Promise(() => {}) });
  const pool = createPool(factory, { min: 1, clock });
  const ready = rejection(pool.ready());
  const closed = pool.close({ graceMillis: 0 });
  expect(await ready).toMatchObject(closedError);
  await closed;
});

test('a creation that fails because of the close leaves no timer', async () => {
  const { pool, clock } = open(1, {
    create: (_number, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  const asked = rejection(pool.lease());
  await pool.close();
  expect(await asked).toMatchObject(closedError);
  expect(clock.pendingTimers).toBe(0);
});

test('a draining pool creates nothing to reach min', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(2);
  const pool = createPool(factory, { min: 2, max: 2, clock });
  await pool.ready();
  await pool.drain();
  await pool.clear();
  await settle();
  expect([factory.creates, pool.size]).toEqual([2, 0]);
});

test('a reset or a validation that ends after a forced close changes nothing', async () => {
  const [resets, validations, destroys] = [new Gates(), new Gates(), new Gates()];
  const clock = new FakeClock();
  const factory = new StrictFactory(2, {
    reset: () => resets.next(),
    validate: () => validations.next(),
    destroy: () => destroys.next(),
  });
  const pool = createPool(factory, { max: 2, testOnBorrow: true, clock });
  const [first, second] = [await pool.lease(), await pool.lease()];
  void first.release();
  resets.at(0).open();
  await settle();
  void second.release();
  const waiting = rejection(pool.lease());
  expect(pool.stats()).toMatchObject({ validating: 1, resetting: 1 });
  const closed = outcomeOf(pool.close({ graceMillis: 0, force: true }));
  expect(await waiting).toMatchObject(closedError);
  resets.at(1).open();
  validations.at(0).open();
  await settle();
  expect(factory.destroyed).toEqual(['0 close', '1 close']);
  destroys.at(0).open();
  destroys.at(1).open();
  await settle();
  expect(closed().is).toBe('resolved');
  expect(pool.stats()).toMatchObject({ validating: 0, resetting: 0, destroyed: 2 });
});

test('a resource whose validation ends during a close is destroyed', async () => {
  const gates = new Gates();
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { validate: () => gates.next() });
  const pool = createPool(factory, { max: 1, keepaliveMillis: 1_000, clock });
  (await pool.lease())[Symbol.dispose]();
  await clock.advance(2_000);
  const closed = outcomeOf(pool.close());
  await settle();
  expect([pool.stats().validating, closed().is]).toEqual([1, 'pending']);
  gates.at(0).open();
  await settle();
  expect([closed().is, factory.destroyed]).toEqual(['resolved', ['0 close']]);
});
