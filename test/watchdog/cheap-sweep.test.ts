/** What a sweep does for each pool of a keyed pool: it reads some numbers. */
import { expect, test, vi } from 'vitest';
import { MillisHistogram } from '../../src/core/histogram.js';
import { type Observation, observe } from '../../src/core/probe.js';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { RecordingObserver } from '../kit/recording-observer.js';

test('a look at a pool reads numbers alone, and computes no percentile', async () => {
  const percentile = vi.spyOn(MillisHistogram.prototype, 'percentile');
  using watchdog = new Watchdog({ graceMillis: 0 });
  await using pools = createKeyedPool((key: number) => ({
    create: () => ({ key }),
    destroy: () => {},
  }));
  for (let key = 0; key < 10; key++) await (await pools.lease(key)).release();
  watchdog.watch(pools);
  expect(watchdog.checkNow()).toEqual([]);
  expect(pools.stats()).toMatchObject({ keys: 10, created: 10, loans: 10 });
  expect(percentile).not.toHaveBeenCalled();
  expect(pools.pool(1).stats().holdMillis).toBeDefined();
  expect(percentile).toHaveBeenCalled();
  percentile.mockRestore();
});

test('a pool is not called before a look, since it has nothing to compare', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  using observation: Observation = pool[observe](new RecordingObserver());
  expect(observation.look).toBeUndefined();
  const numbers = Object.entries(pool.stats()).filter(([, figure]) => typeof figure === 'number');
  expect(observation.stats()).toEqual(Object.fromEntries(numbers));
});
