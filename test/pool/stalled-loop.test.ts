/** A blocked event loop is not blamed on resources or callers: HikariCP#679, #731, #668. */
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
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

/** A pool whose `reset` hangs, and whose event loop is then blocked. */
async function hangingResetInStall(validateTimeoutMillis: number) {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const pool = createPool(
    { create: () => ({}), destroy: () => {}, reset: () => new Promise(() => {}) },
    { validateTimeoutMillis, clock },
  );
  pool.on('factoryResetError', (error) => errors.push(error));
  void (await pool.lease()).release();
  await stall(clock, 400);
  return { clock, errors, pool };
}

test('a hanging call is still ended after a stall, and its error says how long the loop was blocked', async () => {
  const { clock, errors, pool } = await hangingResetInStall(200);
  expect(errors).toEqual([]);
  await clock.advance(200);
  expect(errors).toMatchObject([
    {
      code: 'TENURE_POOL_VALIDATE_TIMEOUT',
      message: expect.stringContaining('The event loop was blocked for 300 ms'),
    },
  ]);
  expect(pool.size).toBe(0);
  await pool.close();
});

test('the error of a call that hangs does not blame a stall that was long before', async () => {
  const { clock, errors, pool } = await hangingResetInStall(5_000);
  await clock.advance(5_000);
  expect(errors).toMatchObject([{ message: expect.not.stringContaining('blocked') }]);
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
  await clock.advance(200);
  void lease.release();
  await clock.advance(50);
  expect(first().is).toBe('resolved');
  const { error } = second() as { error: Error };
  expect(error).toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT' });
  expect(error.message).toContain('The event loop was blocked for 4900 ms');
  expect(error.message).not.toContain('Release what is held');
  await pool.close({ graceMillis: 0, force: true });
});

test('a caller with a short timeout does not cut short the grace of the others', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1, clock });
  const lease = await pool.lease();
  const waiting = outcomeOf(pool.lease({ timeoutMillis: 2_000 }));
  await stall(clock, 5_000);
  const hurried = outcomeOf(pool.lease({ timeoutMillis: 20 }));
  await clock.advance(200);
  expect(waiting().is).toBe('pending');
  void lease.release();
  await clock.advance(50);
  expect([waiting().is, hurried().is]).toEqual(['resolved', 'rejected']);
  await pool.close({ graceMillis: 0, force: true });
});

test('a stall makes no creation slow: the waiters get no second connection each', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const pool = createPool(
    { create: () => gates.next().then(() => ({})), destroy: () => {} },
    { max: 20, clock },
  );
  const first = pool.lease();
  await clock.advance(20);
  gates.at(0).open();
  void (await first).destroy();
  const waiting = [1, 2, 3, 4, 5].map(() => pool.lease());
  await stall(clock, 5_000);
  expect(pool.stats().creating).toBe(5);
  await clock.advance(90);
  expect(pool.stats()).toMatchObject({ creating: 5, created: 1 });
  for (const number of [1, 2, 3, 4, 5]) gates.at(number).open(); // Each needed several answers.
  await Promise.all(waiting);
  expect(pool.stats()).toMatchObject({ creating: 0, created: 6 });
  await pool.close({ graceMillis: 0, force: true });
});

test.each([
  ['before its timer fires', (clock: FakeClock) => clock.jump(60_000)],
  ['after its timer has fired', (clock: FakeClock) => stall(clock, 60_000)],
])(
  'a creation that ends %s after a stall does not hide that a later one hangs',
  async (_, stop) => {
    const clock = new FakeClock();
    const gates = new Gates();
    const pool = createPool(
      { create: () => gates.next().then(() => ({})), destroy: () => {} },
      { max: 3, clock },
    );
    const first = pool.lease();
    await stop(clock);
    gates.at(0).open();
    await first;
    const second = outcomeOf(pool.lease());
    await clock.advance(600);
    expect(pool.stats().creating).toBe(2);
    gates.at(2).open();
    await settle();
    expect(second().is).toBe('resolved');
    await pool.close({ graceMillis: 0, force: true });
  },
);

test('a creation with a timeout has time for several answers after a stall', async () => {
  const clock = new FakeClock();
  const gate = new Gate();
  const pool = createPool(
    { create: () => gate.passed.then(() => ({})), destroy: () => {} },
    { createTimeoutMillis: 3_000, createAttempts: 1, clock },
  );
  const lease = outcomeOf(pool.lease());
  await stall(clock, 5_000);
  await clock.advance(900);
  gate.open();
  await settle();
  expect([lease().is, pool.stats().created]).toEqual(['resolved', 1]);
  await pool.close({ graceMillis: 0, force: true });
});

test('a close leaves the borrowers a second after a stall, not only one turn', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { clock });
  const lease = await pool.lease();
  const closed = pool.close({ graceMillis: 5_000 });
  await stall(clock, 20_000);
  await clock.advance(900);
  void lease.release();
  await closed;
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
