import { describe, expect, test, vi } from 'vitest';
import { ForeignPool } from '../../../src/node/foreign-pools/foreign-pool.js';
import { Tracer } from '../../../src/profile/index.js';
import { Watchdog, type WatchdogOptions } from '../../../src/watchdog/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { lineOf } from '../../kit/line-of.js';

/** A watched pool of another package. No stack is taken, as in a second that has had its share. */
function setUp(options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const out = new Set<unknown>();
  let pending = 0;
  const facts = {
    name: 'db',
    releaseAdvice: 'give it back',
    figures: () => ({ borrowed: out.size, max: 2, pending }),
  };
  const pool = new ForeignPool(facts, clock);
  const watchdog = new Watchdog({ level: 'advanced', stacksPerSecond: 0, clock, ...options });
  watchdog.watch(pool);
  function acquire(resource: unknown): void {
    const origin = pool.origin(acquire);
    if (origin !== undefined) pool.lent(resource, origin);
    out.add(resource);
  }
  return {
    clock,
    pool,
    watchdog,
    acquire,
    release(resource: unknown) {
      pool.returned(resource);
      out.delete(resource);
    },
    callerWaits() {
      pending = 1;
    },
  };
}

describe('a loan of a pool of another package that has neither a stack nor a scope', () => {
  test('is counted only, if it comes back within a second', async () => {
    const t = setUp();
    const resource = {};
    for (let i = 0; i < 100; i++) {
      t.acquire(resource);
      await t.clock.advance(900);
      t.release(resource);
      await t.clock.advance(200);
    }
    expect(t.watchdog.stats().loans).toBe(100);
    expect(t.watchdog.oldestLoanMillis()).toBe(0);
  });

  test('is tracked when it has been out for a second', async () => {
    const t = setUp();
    t.acquire('a');
    await t.clock.advance(2_100);
    expect(t.watchdog.oldestLoanMillis()).toBeGreaterThan(1_000);
    t.release('a');
    expect(t.watchdog.oldestLoanMillis()).toBe(0);
    expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
  });

  test('is not taken for an earlier one of the same resource', async () => {
    const t = setUp();
    t.acquire('a');
    for (let i = 0; i < 20; i++) {
      await t.clock.advance(500);
      t.release('a');
      t.acquire('a');
    }
    expect(t.watchdog.oldestLoanMillis()).toBe(0);
  });

  test('is named if it keeps its pool exhausted, and the next one has its line', async () => {
    const t = setUp({ graceMillis: 0 });
    t.acquire('a');
    t.acquire('b');
    t.callerWaits();
    await t.clock.advance(80_000);
    const [leak] = await t.watchdog.check();
    expect(leak).toMatchObject({ rule: 'exhausted', count: 2, component: { name: 'db' } });
    expect(leak?.site).toBeUndefined();

    t.release('a');
    t.acquire('a'); // where a client is lost again
    await t.clock.advance(80_000);
    expect(await t.watchdog.check()).toContainEqual(
      expect.objectContaining({
        site: expect.objectContaining({
          line: lineOf(import.meta.url, '// where a client is lost again'),
        }),
      }),
    );
  });

  test('is named if it keeps its pool exhausted, whose callers leave before they are seen to wait', async () => {
    const t = setUp({ graceMillis: 0 });
    t.acquire('a');
    t.acquire('b');
    await t.clock.advance(70_000);
    t.pool.refused();
    await t.clock.advance(10_000);
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 2 }]);
  });

  test('does not exhaust its pool while the package takes others for itself, and gives them back', async () => {
    const t = setUp({ graceMillis: 0 });
    t.acquire('a');
    t.acquire('b');
    t.callerWaits();
    for (let i = 0; i < 12; i++) {
      t.pool.returned('c');
      await t.clock.advance(10_000);
      expect(await t.watchdog.check()).toEqual([]);
    }
    await t.clock.advance(70_000);
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 2 }]);
  });

  test('is among those that are still out', async () => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const t = setUp();
    t.acquire('a');
    await t.watchdog.assertNoLeaks();
    expect(warned.mock.calls).toEqual([['tenure: no leak was found; still out: pool "db" ×1']]);
    warned.mockRestore();
  });

  test('ends with its pool', async () => {
    const t = setUp();
    t.acquire('a');
    t.pool.ended();
    await t.clock.advance(5_000);
    expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
    expect(t.watchdog.oldestLoanMillis()).toBe(0);
  });

  test('is tracked by a watchdog that shares the pool with a tracer', async () => {
    const t = setUp();
    using tracer = new Tracer();
    tracer.start();
    tracer.watch(t.pool);
    t.acquire('a');
    await t.clock.advance(2_100);
    expect(t.watchdog.oldestLoanMillis()).toBeGreaterThan(1_000);
    t.release('a');
    expect(t.watchdog.stats().loansOut).toBe(0);
  });

  test('sets no timer after the end of the watch', async () => {
    const t = setUp();
    t.acquire('a');
    t.watchdog[Symbol.dispose]();
    t.acquire('b');
    expect(t.clock.pendingTimers).toBe(0);
  });
});

test('a resource that its holder only listens to is no suspect, until it does so no more', async () => {
  const t = setUp({ stacksPerSecond: 1_000 });
  const client = { listens: true, listenerCount: () => Number(client.listens) };
  t.acquire(client);
  const other = {};
  /** Minutes of short loans. */
  const pass = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute++) {
      for (let i = 0; i < 1_500; i++) {
        t.acquire(other);
        t.release(other);
      }
      await t.clock.advance(60_000);
    }
  };
  await pass(10);
  expect(await t.watchdog.check()).toEqual([]);
  client.listens = false;
  await pass(10);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
});
