import { expect, test } from 'vitest';
import { createPool, LeasesOutError } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { type Steps, StrictFactory } from './strict-factory.js';

const closedError = { name: 'PoolClosedError', code: 'TENURE_POOL_CLOSED' };

function open(max: number, steps: Steps = {}) {
  const clock = new FakeClock();
  const factory = new StrictFactory(max, steps);
  return { clock, factory, pool: createPool(factory, { max, clock }) };
}

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
