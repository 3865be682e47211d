/**
 * The most important tests of Apache commons-pool and HikariCP, written for this pool. Each title begins with the name
 * of the original test. The originals wait for threads and real time; these move a clock.
 */
import { describe, expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { hold, letGo, StrictFactory } from './strict-factory.js';

const down = new Error('the database is down');

function pauseOn(clock: FakeClock): (millis: number) => Promise<void> {
  return (millis) => new Promise((resolve) => clock.setTimer(() => resolve(), millis));
}

describe('commons-pool', () => {
  test('testMaxTotalInvariant: never more than max, with validations that fail and slow destructions', async () => {
    const clock = new FakeClock();
    const pause = pauseOn(clock);
    const factory = new StrictFactory(5, {
      validate: (_thing, number) => number % 3 !== 0,
      destroy: () => pause(100),
    }); // Throws as soon as a sixth resource is alive.
    const pool = createPool(factory, { max: 5, testOnBorrow: true, testOnReturn: true, clock });
    let done = 0;
    const work = async (): Promise<void> => {
      for (let i = 0; i < 20; i++) {
        using lease = await pool.lease();
        hold(lease.resource);
        await pause(i % 4);
        letGo(lease.resource);
        done++;
      }
    };
    const workers = Promise.all(Array.from({ length: 10 }, work));
    await clock.advance(25_000);
    await workers;
    expect(done).toBe(200);
    expect(factory.destroyed.length).toBeGreaterThan(50);
    expect(pool.stats()).toMatchObject({ createErrors: 0, borrowed: 0, pending: 0 });
  });

  test('testNoInstanceOverlap: no resource has two holders', async () => {
    const clock = new FakeClock();
    const pause = pauseOn(clock);
    const pool = createPool(new StrictFactory(5), { max: 5, clock });
    const work = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) {
        await pool.use(async (thing) => {
          hold(thing); // Throws if another caller holds it.
          await pause(i % 2);
          letGo(thing);
        });
      }
    };
    const workers = Promise.all(Array.from({ length: 20 }, work));
    await clock.advance(1_000);
    await workers;
    expect(pool.stats()).toMatchObject({ loans: 2_000, borrowed: 0, size: 5 });
  });

  test('testLivenessOnTransientFactoryFailure: waiters are served when the factory works again', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1, {
      create: (number) => {
        if (number === 1 || number === 2) throw down;
      },
    });
    const pool = createPool(factory, { max: 1, clock });
    const lease = await pool.lease();
    const waiting = [outcomeOf(pool.use(() => 'a')), outcomeOf(pool.use(() => 'b'))];
    void lease.destroy(); // The creation for the first waiter fails, and so does the next attempt.
    await clock.advance(1_000);
    expect(waiting.map((outcome) => outcome())).toEqual([
      { is: 'resolved', value: 'a' },
      { is: 'resolved', value: 'b' },
    ]);
  });

  test('testTimeoutNoLeak: a thousand timed-out waits leave nothing behind', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(2), { max: 2, acquireTimeoutMillis: 10, clock });
    const held = [await pool.acquire(), await pool.acquire()];
    for (let i = 0; i < 1_000; i++) {
      const ended = outcomeOf(pool.acquire());
      await clock.advance(10);
      expect(ended().is).toBe('rejected');
    }
    expect([pool.pending, pool.size, clock.foregroundTimers]).toEqual([0, 2, 0]);
    await Promise.all(held.map((thing) => pool.release(thing)));
    const again = await Promise.all([pool.acquire(), pool.acquire()]);
    expect(pool.stats()).toMatchObject({ borrowed: 2, available: 0, acquireTimeouts: 1_000 });
    await Promise.all(again.map((thing) => pool.release(thing)));
  });

  test('testValidationFailureOnReturnFreesCapacity', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1, { validate: (_thing, number) => number > 0 });
    const pool = createPool(factory, { max: 1, testOnReturn: true, clock });
    const lease = await pool.lease();
    const waiting = pool.use(({ id }) => id);
    await lease.release();
    expect(await waiting).toBe(1);
    await settle(); // The resource that was lent in the meantime is validated, too, when it comes back.
    expect(pool.stats()).toMatchObject({ size: 1, available: 1, destroyedBy: { invalid: 1 } });
  });

  test('testBorrowObjectFairness: callers are served in the order in which they came', async () => {
    const clock = new FakeClock();
    const pause = pauseOn(clock);
    const pool = createPool(new StrictFactory(3), { max: 3, clock });
    const served: number[] = [];
    const line = Array.from({ length: 60 }, (_, id) =>
      pool.use(async () => {
        served.push(id);
        await pause((id * 7) % 11);
      }),
    );
    await clock.advance(1_000);
    await Promise.all(line);
    expect(served).toEqual(Array.from({ length: 60 }, (_, id) => id));
  });

  test('testClosedPoolBehavior: resources that come back after the close are destroyed, and the counts stay right', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(3);
    const pool = createPool(factory, { max: 3, clock });
    const leased = await pool.lease();
    const acquired = await pool.acquire();
    await pool.use(() => {});
    const closed = rejection(pool.close({ graceMillis: 0 }));
    await clock.advance(0);
    expect(await closed).toMatchObject({ code: 'TENURE_POOL_LEASES_OUT' });
    expect(pool.stats()).toMatchObject({ size: 2, borrowed: 2, available: 0 });
    await leased.release();
    await pool.release(acquired);
    await settle();
    expect(pool.stats()).toMatchObject({ size: 0, borrowed: 0, available: 0 });
    expect(factory.alive).toBe(0);
    expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    await pool.close();
  });

  test('testWhenExhaustedFail, testMaxWait: rejected at once if no caller may wait, else after the timeout', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, maxWaitingClients: 1, clock });
    const lease = await pool.lease();
    expect(await rejection(pool.lease({ timeoutMillis: 0 }))).toMatchObject({
      code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
    });
    const waiting = outcomeOf(pool.lease({ timeoutMillis: 500 }));
    expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_FULL' });
    await clock.advance(499);
    expect(waiting().is).toBe('pending');
    await clock.advance(1);
    expect(waiting().is).toBe('rejected');
    void lease.release();
  });

  test('testEvictorWithMinIdle, testMaxIdle: an unused pool shrinks to min and no further', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(8);
    const pool = createPool(factory, { min: 2, max: 8, softIdleTimeoutMillis: 5_000, clock });
    const leases = await Promise.all(Array.from({ length: 8 }, () => pool.lease()));
    for (const lease of leases) void lease.release();
    await clock.advance(60_000);
    expect([pool.size, factory.alive, factory.creates]).toEqual([2, 2, 8]);
  });
});

describe('HikariCP', () => {
  test('TestConnectionTimeoutRetry: a caller waits for its whole timeout, and the error names the cause', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1, { create: () => Promise.reject(down) });
    const pool = createPool(factory, {
      name: 'db',
      max: 1,
      acquireTimeoutMillis: 800,
      createAttempts: 100,
      clock,
    });
    const ended = outcomeOf(pool.lease());
    await clock.advance(799);
    expect(ended().is).toBe('pending');
    await clock.advance(1);
    expect(ended()).toMatchObject({
      is: 'rejected',
      error: {
        code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
        phase: 'create',
        cause: down,
        stats: { size: expect.any(Number), borrowed: 0, available: 0, max: 1 },
      },
    });
  });

  test('TestConnectionTimeoutRetry: the database recovers after 300 ms, and the caller is served', async () => {
    const clock = new FakeClock();
    const began = clock.now();
    const factory = new StrictFactory(1, {
      create: () => (clock.now() < began + 300 ? Promise.reject(down) : undefined),
    });
    const pool = createPool(factory, { max: 1, acquireTimeoutMillis: 2_800, clock });
    const served = pool.use(() => clock.now() - began);
    await clock.advance(2_800);
    const millis = await served;
    expect(millis).toBeGreaterThanOrEqual(300);
    expect(millis).toBeLessThan(1_000);
  });

  test('TestConnectionTimeoutRetry: a waiter gets a returned resource at once, although its creation still runs', async () => {
    const clock = new FakeClock();
    const gates = new Gates();
    const factory = new StrictFactory(2, { create: (n) => (n === 0 ? undefined : gates.next()) });
    const pool = createPool(factory, { max: 2, clock });
    const lease = await pool.lease();
    const { id } = lease.resource;
    const waiting = pool.use((thing) => thing.id);
    await clock.advance(800);
    expect(pool.stats()).toMatchObject({ pending: 1, creating: 1 });
    void lease.release();
    expect(await waiting).toBe(id);
    gates.at(0).open();
    await settle();
    expect(pool.stats()).toMatchObject({ size: 2, available: 2 });
  });

  test('TestSaturatedPool830: fifty callers at once and slow creations reach a balance', async () => {
    const clock = new FakeClock();
    const pause = pauseOn(clock);
    const factory = new StrictFactory(10, { create: () => pause(100) });
    const pool = createPool(factory, { max: 10, acquireTimeoutMillis: 5_000, clock });
    const ended = Array.from({ length: 50 }, () => outcomeOf(pool.use(() => pause(250))));
    await clock.advance(100 + 5 * 250);
    expect(ended.filter((outcome) => outcome().is === 'resolved')).toHaveLength(50);
    expect(pool.stats()).toMatchObject({ size: 10, available: 10, borrowed: 0, pending: 0 });
    expect(factory.creates).toBe(10);
  });

  test('testBackfill: destroyed resources are replaced up to min, without a request', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(4);
    const pool = createPool(factory, { min: 4, max: 4, clock });
    await pool.ready();
    await (await pool.lease()).destroy('broken');
    await settle();
    expect(pool.stats()).toMatchObject({ size: 4, available: 4 });
    expect(factory.creates).toBe(5);
  });

  test('testEvictAllRefill: after an invalidation all resources are new, and no loan was cut short', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(5);
    const pool = createPool(factory, { min: 3, max: 5, clock });
    await pool.ready();
    const inUse = await pool.lease();
    const invalidated = pool.invalidate();
    await settle();
    expect(inUse.resource.state, 'never destroyed during a loan').toBe('alive');
    void inUse.release();
    await invalidated;
    await settle();
    expect(
      factory.things.filter(({ state }) => state === 'alive').map(({ id }) => id),
    ).not.toContain(0);
    expect(pool.size).toBe(3);
    expect(factory.destroyed).toEqual(
      expect.arrayContaining(['0 invalidated', '1 invalidated', '2 invalidated']),
    );
  });

  test('testMaxLifetime: a resource is never destroyed during a loan, and at the latest when it comes back', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1);
    const pool = createPool(factory, { max: 1, maxLifetimeMillis: 30_000, clock });
    const lease = await pool.lease();
    await clock.advance(120_000);
    expect(lease.resource.state).toBe('alive');
    await lease.release();
    expect(factory.destroyed).toEqual(['0 lifetime']);
    expect(await pool.use(({ id }) => id)).toBe(1);
  });

  test('testKeepalive: idle resources are validated, so no caller gets a broken one', async () => {
    const clock = new FakeClock();
    let isDead = false;
    const factory = new StrictFactory(1, { validate: () => !isDead });
    const pool = createPool(factory, { max: 1, min: 1, keepaliveMillis: 30_000, clock });
    await pool.use(() => {});
    await clock.advance(90_000);
    expect(factory.validates).toBeGreaterThanOrEqual(2);
    isDead = true;
    await clock.advance(60_000);
    isDead = false;
    expect(factory.destroyed[0]).toBe('0 invalid');
    expect(await pool.use(({ id }) => id)).toBeGreaterThan(0);
  });

  test('ShutdownTest: close ends while creations run and callers wait, and leaves nothing behind', async () => {
    const clock = new FakeClock();
    const pause = pauseOn(clock);
    const factory = new StrictFactory(5, { create: () => pause(300) });
    const pool = createPool(factory, { min: 5, max: 5, clock });
    const waiting = Array.from({ length: 10 }, () => outcomeOf(pool.lease()));
    await clock.advance(100);
    const closed = outcomeOf(pool.close());
    await clock.advance(1_000);
    for (const outcome of waiting) {
      expect(outcome()).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_CLOSED' } });
    }
    expect(closed().is).toBe('resolved');
    expect([pool.size, factory.alive, clock.pendingTimers]).toEqual([0, 0, 0]);
  });
});
