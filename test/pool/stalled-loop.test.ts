/** A blocked event loop is not blamed on resources or callers: HikariCP#679, #731, #668. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf } from './outcome.js';

/** Moves time on as a blocked event loop does: timers fire late, and before the answers that have arrived. */
async function stall(clock: FakeClock, millis: number): Promise<void> {
  clock.jump(millis);
  await clock.advance(0);
}

test.each(['validate', 'reset'] as const)(
  'a %s whose answer has arrived during a stall is not condemned',
  async (method) => {
    const clock = new FakeClock();
    const gate = new Gate();
    const factory: Factory<object> = {
      create: () => ({}),
      destroy: () => {},
      [method]: async () => {
        await gate.passed;
        return true;
      },
    };
    const pool = createPool(factory, {
      validateTimeoutMillis: 200,
      testOnReturn: method === 'validate',
      clock,
    });
    void (await pool.lease()).release();
    await stall(clock, 400);
    gate.open(); // The answer was in the socket.
    await settle();
    expect(pool.stats()).toMatchObject({ available: 1, destroyed: 0 });
    await pool.close();
  },
);

test('a hanging call is still ended after a stall, and its error says how long the loop was blocked', async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const pool = createPool(
    { create: () => ({}), destroy: () => {}, reset: () => new Promise(() => {}) },
    { validateTimeoutMillis: 200, clock },
  );
  pool.on('factoryResetError', (error) => errors.push(error));
  void (await pool.lease()).release();
  await stall(clock, 400);
  expect(errors).toEqual([]);
  await clock.advance(200);
  expect(errors).toMatchObject([
    {
      code: 'TENURE_POOL_VALIDATE_TIMEOUT',
      message: expect.stringContaining('The event loop was blocked for 200 ms'),
    },
  ]);
  expect(pool.size).toBe(0);
  await pool.close();
});

test('a caller is served by what came back during a stall; else its error does not blame the callers', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1, clock });
  const lease = await pool.lease();
  const first = outcomeOf(pool.lease({ timeoutMillis: 100 }));
  const second = outcomeOf(pool.lease({ timeoutMillis: 100 }));
  await stall(clock, 5_000);
  expect([first().is, second().is]).toEqual(['pending', 'pending']);
  void lease.release();
  await clock.advance(200);
  expect(first().is).toBe('resolved');
  const { error } = second() as { error: Error };
  expect(error).toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT' });
  expect(error.message).toContain('The event loop was blocked for 4900 ms');
  expect(error.message).not.toContain('Release what is held');
  await pool.close({ graceMillis: 0, force: true });
});

test('a stall is forgotten when the last waiter has left', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1, clock });
  const lease = await pool.lease();
  const left = new AbortController();
  const leaving = outcomeOf(pool.lease({ timeoutMillis: 100, signal: left.signal }));
  await stall(clock, 5_000);
  left.abort(new Error('left'));
  await settle();
  expect(leaving().is).toBe('rejected');
  const later = outcomeOf(pool.lease({ timeoutMillis: 100 }));
  await clock.advance(100);
  expect((later() as { error: Error }).error.message).not.toContain('blocked');
  void lease.release();
  await pool.close();
});

test('a call with a short timeout has a grace as short after a stall', async () => {
  const clock = new FakeClock();
  const pool = createPool(
    { create: () => ({}), destroy: () => {}, reset: () => new Promise(() => {}) },
    { validateTimeoutMillis: 20, clock },
  );
  void (await pool.lease()).release();
  await stall(clock, 200);
  expect(pool.stats()).toMatchObject({ resetting: 1, destroyed: 0 });
  await clock.advance(20);
  expect(pool.stats()).toMatchObject({ resetting: 0, destroyed: 1 });
  await pool.close();
});

test.each([
  ['close', (pool: Pool<object>) => pool.close({ graceMillis: 1 })],
  ['drain', (pool: Pool<object>) => pool.drain({ timeoutMillis: 1 })],
])('a lease that comes back during a stall is in time for %s', async (_, end) => {
  await using pool = createPool<object>({ create: () => ({}), destroy: () => {} });
  const lease = await pool.lease();
  await setImmediate(); // From here on, the next turn runs its timers before it reads answers.
  const ended = end(pool);
  void setImmediate().then(() => lease.release());
  await null;
  const blockedUntil = performance.now() + 10;
  while (performance.now() < blockedUntil);
  await ended;
});
