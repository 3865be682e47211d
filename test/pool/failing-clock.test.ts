/**
 * A clock that throws, or that tells no time. The caller that needs a timer is told that `setTimer` has thrown, and no other caller loses
 * anything. No caller is told of `clearTimer` and `now`.
 */
import genericPool from 'generic-pool';
import { expect, test, vi } from 'vitest';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import {
  createKeyedPool,
  createPool,
  type Factory,
  type Lease,
  type LeaseOptions,
  type Pool,
} from '../../src/pool/index.js';
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
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { clock, pool, free } = await emptyPool();
  const timedOut = { reason: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } };
  const early = Promise.allSettled([pool.lease({ timeoutMillis: 100 })]);
  const late = Promise.allSettled([pool.lease({ timeoutMillis: 5_000 })]);
  clock.fails = true;
  vi.useFakeTimers();
  await clock.advance(100);
  expect(await early).toMatchObject([timedOut]);
  expect(pool.pending).toBe(1);
  clock.jump(4_900);
  await vi.advanceTimersByTimeAsync(4_900); // The clock of the system takes its place.
  vi.useRealTimers();
  expect(await late).toMatchObject([timedOut]);
  clock.fails = false;
  printed.mockRestore();
  await free();
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
  expect(String(printed.mock.calls[0]?.[0])).toContain('`clock`');
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

test('a creation that hangs loses its place at its time limit although the clock cannot set a timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const unlimited = { max: 1, clock, acquireTimeoutMillis: Number.POSITIVE_INFINITY };
  const pool = createPool(
    { ...factory, create: () => new Promise(() => {}) },
    { ...unlimited, createTimeoutMillis: 1_000, createAttempts: 1 },
  );
  clock.fails = true;
  vi.useFakeTimers();
  const waiting = Promise.allSettled([pool.lease()]);
  clock.jump(1_000);
  await vi.advanceTimersByTimeAsync(2_000); // The clock of the system takes its place.
  vi.useRealTimers();
  expect(await waiting).toMatchObject([{ reason: { code: 'TENURE_POOL_CREATE_TIMEOUT' } }]);
  expect(pool.size).toBe(0);
  printed.mockRestore();
  await pool.close();
});

test('a forced close ends although the clock cannot set a timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { clock, pool } = await emptyPool();
  clock.fails = true;
  vi.useFakeTimers();
  const closing = pool.close({ force: true });
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  await closing;
  expect(pool.size).toBe(0);
  printed.mockRestore();
});

/** What the pools have in common. */
interface AnyPool {
  lease(options?: LeaseOptions): Promise<Lease<object>>;
  close(options: { readonly force: boolean }): Promise<void>;
  stats(): { readonly borrowed: number; readonly pending: number };
}

/** Ways to make a pool of at most two resources. The second one never comes. */
const POOLS: [string, (clock: FailingClock) => AnyPool][] = [
  ['pool', (clock) => createPool(secondHangs(), { max: 2, ...timeouts(clock) })],
  [
    'keyed pool',
    (clock) => {
      const pools = createKeyedPool(secondHangs, { max: 2, ...timeouts(clock) });
      return {
        lease: (options) => pools.lease('key', options),
        close: (options) => pools.close(options),
        stats: () => pools.stats(),
      };
    },
  ],
  [
    'adopted pool',
    (clock) => {
      const peer = genericPool.createPool(
        { create: async () => ({}), destroy: async () => {} },
        { max: 1 },
      );
      return adoptPool(peer, { clock, acquireTimeoutMillis: 1_000 });
    },
  ],
];

function secondHangs(): Factory<object> {
  let creations = 0;
  return { ...factory, create: () => (++creations === 1 ? {} : new Promise(() => {})) };
}

function timeouts(clock: FailingClock) {
  return { clock, acquireTimeoutMillis: 1_000, createTimeoutMillis: 2_000 };
}

/** Ways to tell no time. */
const NO_TIMES: [string, () => () => unknown][] = [
  [
    'throws',
    () => () => {
      throw new Error('no time');
    },
  ],
  ['is NaN', () => () => Number.NaN],
  ['is text', () => () => 'now'],
  ['is absent', () => () => undefined],
  [
    'goes back',
    () => {
      let time = 0;
      return () => (time -= 1_000);
    },
  ],
  ['stands still', () => () => 0],
];

test.each(
  POOLS.flatMap(([pool, make]) =>
    NO_TIMES.map(([time, tell]) => [pool, time, make, tell] as const),
  ),
)('%s: waits end, and no place is lost, while the time %s', async (_, __, make, tell) => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  clock.tell = tell();
  const pool = make(clock);
  const timedOut = { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' };

  const lease = await pool.lease();
  const waits = [pool.lease(), pool.lease({ timeoutMillis: 100 })].map((wait) =>
    wait.catch((e) => e),
  );
  await clock.advance(5_000);
  expect(await Promise.all(waits)).toMatchObject([timedOut, timedOut]);
  const next = pool.lease();
  await lease.release();
  void (await next).release();
  await pool.lease();
  expect(pool.stats()).toMatchObject({ borrowed: 1, pending: 0 });

  const closing = pool.close({ force: true });
  await clock.advance(20_000);
  await closing;
  expect(pool.stats()).toMatchObject({ borrowed: 0, pending: 0 });
  printed.mockRestore();
});
