/**
 * A clock that throws. The caller that needs a timer is told that `setTimer` has thrown, and no other caller loses anything. No caller is
 * told of `clearTimer`.
 */
import { expect, test, vi } from 'vitest';
import { createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FailingClock } from '../kit/failing-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { rejection } from './outcome.js';

const factory: Factory<object> = { create: () => ({}), destroy: () => {} };

/** A pool of one resource, which is lent. */
async function emptyPool(): Promise<{ clock: FailingClock; pool: Pool<object>; free(): unknown }> {
  const clock = new FailingClock();
  const pool = createPool(factory, { max: 1, clock, acquireTimeoutMillis: 1_000 });
  const lease = await pool.lease();
  return { clock, pool, free: () => lease.release() };
}

test.each([
  ['the timeout of the pool', (pool: Pool<object>) => pool.lease()],
  ['a timeout of its own', (pool: Pool<object>) => pool.lease({ timeoutMillis: 500 })],
  ['a priority', (pool: Pool<object>) => pool.acquire(0)],
])('a caller with %s is rejected, and does not stay in the queue', async (_, call) => {
  const { clock, pool, free } = await emptyPool();
  clock.fails = true;
  expect(await rejection(call(pool))).toMatchObject({ message: 'no timer' });
  expect(pool.pending).toBe(0);
  clock.fails = false;
  const next = pool.lease();
  await free();
  void (await next).release();
  expect([pool.available, pool.borrowed]).toEqual([1, 0]);
  await pool.close();
});

test('callers that come after the clock has thrown get their timeout, in the same turn too', async () => {
  const { clock, pool, free } = await emptyPool();
  clock.fails = true;
  const untimed = rejection(pool.lease());
  clock.fails = false;
  const timed = Promise.allSettled([pool.lease(), pool.lease(), pool.lease()]);
  expect(await untimed).toMatchObject({ message: 'no timer' });
  await clock.advance(1_001);
  for (const each of await timed) {
    expect(each).toMatchObject({ reason: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } });
  }
  await free();
  await pool.close();
});

test('a caller that joins a queue is rejected when the clock throws', async () => {
  const { clock, pool, free } = await emptyPool();
  const first = pool.lease({ timeoutMillis: Number.POSITIVE_INFINITY });
  clock.fails = true;
  expect(await rejection(pool.lease())).toMatchObject({ message: 'no timer' });
  expect(pool.pending).toBe(1);
  await free();
  void (await first).release();
  await pool.close();
});

test('callers whose time is over are rejected although the timer of the next one cannot be set', async () => {
  const { clock, pool, free } = await emptyPool();
  const early = Promise.allSettled([pool.lease({ timeoutMillis: 100 })]);
  const late = pool.lease({ timeoutMillis: 5_000 });
  clock.fails = true;
  await expect(clock.advance(100)).rejects.toThrow('no timer');
  expect(await early).toMatchObject([{ reason: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } }]);
  clock.fails = false;
  await free();
  void (await late).release();
  await pool.close();
});

test('a creation whose time limit cannot be set goes on, and what it creates is lent', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const gate = new Gate();
  const create = async (): Promise<object> => {
    await gate.passed;
    return {};
  };
  const unlimited = { max: 1, clock, acquireTimeoutMillis: Number.POSITIVE_INFINITY };
  const pool = createPool({ ...factory, create }, unlimited);
  clock.fails = true;
  const waiting = pool.lease();
  await settle();
  gate.open();

  void (await waiting).release();
  expect([pool.size, pool.available]).toEqual([1, 1]);
  expect(String(printed.mock.calls[0]?.[0])).toContain('the clock of a pool');
  clock.fails = false;
  printed.mockRestore();
  await pool.close();
});

test.each([
  ['drain', (pool: Pool<object>) => pool.drain({ timeoutMillis: 10 })],
  ['invalidate', (pool: Pool<object>) => pool.invalidate({ timeoutMillis: 10 })],
])('%s rejects if its time limit cannot be set', async (_, call) => {
  const { clock, pool, free } = await emptyPool();
  clock.fails = true;
  expect(await rejection(call(pool))).toMatchObject({ message: 'no timer' });
  clock.fails = false;
  await free();
  await pool.close();
});

test('a pool works on while its clock cannot clear a timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  clock.failsToClear = true;
  const pool = createPool(
    { ...factory, create: async () => ({}) },
    { max: 1, clock, acquireTimeoutMillis: 1_000, createTimeoutMillis: 1_000 },
  );
  const lease = await pool.lease();
  const next = pool.lease();
  const drained = pool.drain({ timeoutMillis: 1_000 });
  await lease.release();
  void (await next).release();
  await drained;
  await clock.advance(1_000); // The timers that were not cleared.
  expect([pool.size, pool.available, pool.borrowed]).toEqual([1, 1, 0]);
  await pool.close();
  expect(pool.size).toBe(0);
  printed.mockRestore();
});

test('a factory that fails has its pause although the clock cannot set a timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  let creations = 0;
  const create = (): object => {
    if (++creations < 3) throw new Error('down');
    return {};
  };
  const unlimited = { max: 1, clock, acquireTimeoutMillis: Number.POSITIVE_INFINITY };
  const pool = createPool({ ...factory, create }, unlimited);
  clock.fails = true;
  vi.useFakeTimers();
  const waiting = pool.lease();
  await settle();
  expect(creations).toBe(1);
  await vi.advanceTimersByTimeAsync(10_000); // The clock of the system takes its place.
  void (await waiting).release();
  expect(creations).toBe(3);
  vi.useRealTimers();
  printed.mockRestore();
  await pool.close();
});
