import { expect, test, vi } from 'vitest';
import { RefCounted } from '../../src/scope/index.js';
import type { WatchdogOptions } from '../../src/watchdog/index.js';
import { watchedPool } from './watched-pool.js';

function watched(options: WatchdogOptions) {
  const watched = watchedPool({ graceMillis: 0, ...options });
  const leaseNodes = (): number => watched.watchdog.heap.stats().liveByKind.get('lease') ?? 0;
  return { ...watched, leaseNodes };
}

test('sampled: every loan is counted, the first hundred in a second and one in 128 are tracked', () => {
  using t = watched({ level: 'sampled' });
  const leases = Array.from({ length: 4 + 128 * 3 }, () => t.pool.lease());
  expect(t.watchdog.stats()).toMatchObject({ loans: 388, loansOut: 388 });
  expect(t.leaseNodes()).toBe(100 + 2); // The first of the three is one of the hundred.
  for (const lease of leases) {
    lease.touch();
    lease.expectHold(1_000);
    lease.release();
  }
  expect(t.watchdog.stats()).toMatchObject({ loans: 388, loansOut: 0 });
  expect(t.leaseNodes()).toBe(0);
  t.clock.jump(1_000);
  for (let i = 0; i < 100; i++) t.pool.lease();
  expect(t.leaseNodes()).toBe(100);
});

test('sampled: a service with few loans has each of its losses found, with its line', async () => {
  using t = watched({ level: 'sampled' });
  const kept: unknown[] = [];
  for (let i = 0; i < 50; i++) {
    const lease = t.watchdog.scope('GET /orders', () => t.pool.lease());
    if (i === 13 || i === 40) kept.push(lease);
    else lease.release();
  }
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'orphaned', count: kept.length, site: { file: expect.stringContaining('sampled') } },
  ]);
});

test('sampled: the components share the hundred, and each has its own first four', () => {
  using t = watched({ level: 'sampled' });
  for (let i = 0; i < 200; i++) t.pool.lease().release();
  const second = watchedPool({}).pool;
  using _watch = t.watchdog.watch(second);
  for (let i = 0; i < 8; i++) second.lease();
  expect(t.leaseNodes()).toBe(4);
});

test('sampled: the first loan in each second is tracked, so a quiet service has all of its losses found', async () => {
  using t = watched({ level: 'sampled' });
  const kept: unknown[] = [];
  for (let minute = 0; minute < 60; minute++) {
    const lease = t.watchdog.scope('POST /mail', () => t.pool.lease());
    if (minute % 20 === 10) kept.push(lease);
    else lease.release();
    await t.clock.advance(60_000);
  }
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: kept.length }]);
});

test('sampled: `sampleEvery` sets the fraction', () => {
  using t = watched({ level: 'sampled', sampleEvery: 8 });
  for (let i = 0; i < 100 + 8 * 10; i++) t.pool.lease();
  expect(t.leaseNodes()).toBe(100 + 10);
});

test('sampled: a leak of each second loan is sampled, whichever of the two loans it is', () => {
  for (const remainder of [0, 1]) {
    using t = watched({ level: 'sampled' });
    for (let i = 0; i < 10_000; i++) {
      const lease = t.pool.lease();
      if (i < 200 || i % 2 !== remainder) lease.release();
    }
    const tracked = 9_800 / 128;
    expect(t.leaseNodes()).toBeGreaterThan(tracked / 4);
    expect(t.leaseNodes()).toBeLessThan(tracked);
  }
});

test('sampled: a line that loses all of its loans is named', async () => {
  using t = watched({ level: 'sampled' });
  for (let i = 0; i < 100 + 7 * 128; i++) t.watchdog.scope('GET /orders', () => t.pool.lease());
  const [leak] = await t.watchdog.check();
  expect(leak).toMatchObject({ rule: 'orphaned', scope: 'GET /orders', count: 100 + 7 });
  expect(leak?.site?.file).toContain('sampled.test.ts');
});

test('sampled: takes no more than two hundred stacks a second', () => {
  using t = watched({ level: 'sampled', sampleEvery: 1 });
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let i = 0; i < 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(200);
  t.clock.jump(1_000);
  for (let i = 0; i < 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(400);
});

test('sampled: a shared value keeps what it has leased, though few of its own leases are tracked', async () => {
  using t = watched({ level: 'sampled' });
  await using browser = new RefCounted(
    () => {
      const lease = t.pool.lease();
      return { [Symbol.dispose]: () => lease.release() };
    },
    { idleMillis: Number.POSITIVE_INFINITY, clock: t.clock },
  );
  using _watch = t.watchdog.watch(browser);
  const values = (): number => t.watchdog.heap.stats().liveByKind.get('value') ?? 0;
  const held = await browser.acquire();
  for (let i = 0; i < 200; i++) {
    await t.watchdog.scope('GET /page', async () => {
      using _lease = await browser.acquire();
      expect([await t.watchdog.check(), values()]).toEqual([[], 1]);
    });
    if (i === 100) await held.release();
  }
});

test('counters: loans within scopes are tracked, however many', async () => {
  using t = watched({ level: 'counters' });
  for (let i = 0; i < 1_000; i++) t.watchdog.scope('job', () => t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1_000 }]);
});

test('counters: outside of scopes, a hundred loans in a tenth of a second are tracked', async () => {
  using t = watched({ level: 'counters' });
  for (let i = 0; i < 500; i++) t.pool.lease();
  expect(t.leaseNodes()).toBe(100);
  await t.clock.advance(100);
  for (let i = 0; i < 500; i++) t.pool.lease();
  expect(t.leaseNodes()).toBe(200);
  expect(t.watchdog.stats()).toMatchObject({ loans: 1_000, loansOut: 1_000 });
});

test('counters: an exhausted pool is found though not all of its loans are tracked', async () => {
  using t = watched({ level: 'counters' });
  const held = Array.from({ length: 150 }, () => t.pool.lease());
  for (const lease of held.splice(0, 30)) lease.release();
  t.pool.figures = { borrowed: 120, max: 120, pending: 3 };
  await t.watchdog.check();
  t.clock.jump(60_000);
  const [leak] = await t.watchdog.check();
  expect(leak).toMatchObject({ rule: 'exhausted', count: 70 });
});

test('simple: outside of scopes, the first ten loans in each second have their stacks taken', () => {
  using t = watched({ level: 'simple' });
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let second = 0; second < 60; second++) {
    t.pool.lease().release();
    t.clock.jump(1_000);
  }
  expect(capture).toHaveBeenCalledTimes(60);
  for (let i = 0; i < 60; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(70);
});

test('simple: within scopes, one loan in 128 has its stack taken, however few there are', () => {
  using t = watched({ level: 'simple' });
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let i = 0; i < 129; i++) {
    t.watchdog.scope('GET /orders', () => t.pool.lease().release());
    t.clock.jump(1_000);
  }
  expect(capture).toHaveBeenCalledTimes(4 + 1);
});
