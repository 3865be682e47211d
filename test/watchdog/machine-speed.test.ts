/** On a clock that a test moves, a slow machine finds what a fast one does, at the same time. */
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { runLater } from '../../src/core/slices.js';
import { memoize } from '../../src/memoize/index.js';
import { createPool } from '../../src/pool/index.js';
import { Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

const MINUTE = 60_000;

/** A machine on which a second passes from one reading of the platform's time to the next. */
beforeEach(async () => {
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 1_000;
    return now;
  });
  onTestFinished(() => void vi.restoreAllMocks());
  await new Promise<void>((resolve) => runLater(resolve, undefined));
});

function watching(options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ clock, graceMillis: 0, ...options });
  onTestFinished(() => watchdog[Symbol.dispose]());
  return { clock, watchdog };
}

test('a full collection that a sweep begins is one step', async () => {
  const { clock, watchdog } = watching({ level: 'counters' });
  const cached = memoize((key: number) => key);
  watchdog.watch(cached);
  for (let key = 0; key < 2_000; key++) cached(key);
  await clock.advance(MINUTE);
  const { gc } = watchdog.heap;
  expect([gc.getStats()[2].collections, watchdog.heap.stats().collector.steps]).toEqual([1, 1]);
});

test('a check that forces a collection runs it in one step', async () => {
  const { watchdog } = watching({ gcSource: { collect: async () => {} } });
  const cached = memoize((key: number) => key);
  watchdog.watch(cached);
  for (let key = 0; key < 2_000; key++) cached(key);
  await watchdog.check({ forceGc: true });
  expect(watchdog.heap.stats().collector.steps).toBe(1);
});

test('a sweep looks at all components, and judges all loans, before time goes on', async () => {
  const { clock, watchdog } = watching({ level: 'counters' });
  const told: string[] = [];
  watchdog.on('leak', ({ component, rule }) => told.push(`${rule} ${component.name}`));
  const pools = Array.from({ length: 100 }, (_, i) =>
    createPool(
      { create: () => ({}), destroy: () => {} },
      { name: `tenant ${i}`, max: 1, acquireTimeoutMillis: 1_000, clock },
    ),
  );
  for (const pool of pools) {
    watchdog.watch(pool);
    await pool.lease();
    pool.lease().catch(() => {});
  }
  let judgedAt = Number.POSITIVE_INFINITY;
  watchdog.on('leak', () => {
    if (told.length === pools.length) judgedAt = clock.now();
  });
  const began = clock.now();
  await clock.advance(2 * MINUTE);
  expect(judgedAt - began).toBeLessThanOrEqual(70_000);
  for (const pool of pools) await pool.close({ graceMillis: 0, force: true });
});

test('the entries of a cache that is cleared leave the heap at once', () => {
  const { watchdog } = watching();
  const cached = memoize((key: number) => key);
  watchdog.watch(cached);
  for (let key = 0; key < 2_000; key++) cached(key);
  cached.clear();
  expect(watchdog.heap.stats().liveByKind.get('entry') ?? 0).toBe(0);
});
