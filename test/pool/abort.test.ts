import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

const reason = new Error('the request was cancelled');

test('a signal that has already aborted rejects with its reason, without a call of the factory', async () => {
  const factory = new StrictFactory();
  const pool = createPool(factory, { clock: new FakeClock() });
  const signal = AbortSignal.abort(reason);
  for (const call of [
    () => pool.lease({ signal }),
    () => pool.acquire({ signal }),
    () => pool.use(() => {}, { signal }),
  ]) {
    expect(await rejection(call())).toBe(reason);
  }
  expect([factory.creates, pool.size, pool.pending]).toEqual([0, 0, 0]);
});

test('an abort while waiting frees the place in the queue at once, and removes the listener', async () => {
  const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
  const lease = await pool.lease();
  const abort = new AbortController();
  const aborted = outcomeOf(pool.lease({ signal: abort.signal }));
  const next = outcomeOf(pool.lease());
  abort.abort(reason);
  expect(pool.pending).toBe(1);
  await settle();
  expect(aborted()).toEqual({ is: 'rejected', error: reason });
  void lease.release();
  await settle();
  expect(next().is).toBe('resolved');
  await pool.close({ graceMillis: 0, force: true });
});

test('an abort during the creation: the resource goes to the next waiter, or becomes idle', async () => {
  for (const another of [true, false]) {
    const gates = new Gates();
    const factory = new StrictFactory(1, { create: () => gates.next() });
    const pool = createPool(factory, { max: 1, clock: new FakeClock() });
    const abort = new AbortController();
    const aborted = outcomeOf(pool.lease({ signal: abort.signal }));
    const next = another ? outcomeOf(pool.lease()) : undefined;
    abort.abort(reason);
    await settle();
    expect(aborted()).toEqual({ is: 'rejected', error: reason });
    gates.at(0).open();
    await settle();
    expect(next?.().is).toBe(another ? 'resolved' : undefined);
    expect([pool.size, pool.available, factory.creates]).toEqual([1, another ? 0 : 1, 1]);
    await pool.close({ graceMillis: 0, force: true });
  }
});

test('an abort during a creation that then fails: the next waiter gets a creation of its own', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(1, { create: () => gates.next() });
  const pool = createPool(factory, { max: 1, createAttempts: 1, clock: new FakeClock() });
  const abort = new AbortController();
  const aborted = outcomeOf(pool.lease({ signal: abort.signal }));
  const next = outcomeOf(pool.lease());
  abort.abort(reason);
  gates.at(0).fail(new Error('refused'));
  await settle();
  expect(aborted()).toEqual({ is: 'rejected', error: reason });
  expect(next()).toEqual({ is: 'pending' });
  expect(factory.creates).toBe(2);
  gates.at(1).open();
  await settle();
  expect(next().is).toBe('resolved');
  await pool.close({ graceMillis: 0, force: true });
});

test('an abort during the validation: the resource goes to the next waiter, or becomes idle', async () => {
  for (const another of [true, false]) {
    const gates = new Gates<boolean>();
    const factory = new StrictFactory(1, { validate: () => gates.next() });
    const pool = createPool(factory, { max: 1, testOnBorrow: true, clock: new FakeClock() });
    (await pool.lease())[Symbol.dispose]();
    const abort = new AbortController();
    const aborted = outcomeOf(pool.lease({ signal: abort.signal }));
    const next = another ? outcomeOf(pool.lease()) : undefined;
    abort.abort(reason);
    gates.at(0).open(true);
    await settle();
    expect(aborted()).toEqual({ is: 'rejected', error: reason });
    expect(next?.().is).toBe(another ? 'resolved' : undefined);
    expect([pool.size, pool.available]).toEqual([1, another ? 0 : 1]);
    await pool.close({ graceMillis: 0, force: true });
  }
});

test('an abort after the grant changes nothing', async () => {
  const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
  const abort = new AbortController();
  using lease = await pool.lease({ signal: abort.signal });
  abort.abort(reason);
  await settle();
  expect(lease.resource.state).toBe('alive');
  expect(pool.borrowed).toBe(1);
});

test('one signal for many waiters ends all waits, and the pool stays consistent', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  const lease = await pool.lease();
  const abort = new AbortController();
  const all = Array.from({ length: 10 }, () => rejection(pool.lease({ signal: abort.signal })));
  expect(pool.pending).toBe(10);
  abort.abort(reason);
  expect(pool.pending).toBe(0);
  expect(new Set(await Promise.all(all))).toEqual(new Set([reason]));
  lease[Symbol.dispose]();
  expect([pool.available, clock.foregroundTimers]).toEqual([1, 0]);
});

test('a signal that outlives many waits has no listeners left', async () => {
  const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
  const { signal } = new AbortController();
  for (let i = 0; i < 3; i++) {
    const lease = await pool.lease({ signal });
    const waiting = pool.lease({ signal });
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    void lease.release();
    (await waiting)[Symbol.dispose]();
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  }
});

test('pools that are drained with one signal share one listener on it, and leave none', async () => {
  const { signal } = new AbortController();
  const pools = Array.from({ length: 11 }, () =>
    createPool(new StrictFactory(1), { clock: new FakeClock() }),
  );
  const leases = await Promise.all(pools.map((pool) => pool.lease()));
  const drained = pools.map((pool) => pool.drain({ signal }));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (const lease of leases) void lease.release();
  await Promise.all(drained);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a hundred waiters on one signal cause no warning, and all are rejected', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
  const held = await pool.lease();
  const abort = new AbortController();
  const waiting = Array.from({ length: 100 }, () =>
    rejection(pool.lease({ signal: abort.signal })),
  );
  abort.abort(new Error('gone'));
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ message: 'gone' });
  process.off('warning', onWarning);
  expect([warnings, pool.pending]).toEqual([[], 0]);
  void held.release();
  await pool.close();
});

test('a pause of the factory does not keep the process alive after its last waiter has given up', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { create: () => Promise.reject(new Error('down')) });
  const pool = createPool(factory, { max: 1, clock });
  const abort = new AbortController();
  const waiting = outcomeOf(
    pool.lease({ signal: abort.signal, timeoutMillis: Number.POSITIVE_INFINITY }),
  );
  await settle();
  expect([waiting().is, clock.foregroundTimers]).toEqual(['pending', 1]);
  abort.abort(reason);
  expect(clock.foregroundTimers).toBe(0);
  await pool.close();
});
