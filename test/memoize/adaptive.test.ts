/** The adaptive policy beside the two that it follows. */
import { describe, expect, test } from 'vitest';
import { hitRatio } from '../../bench/hit-ratio/hit-ratio.js';
import { mixed, zipf } from '../../bench/hit-ratio/workloads.js';
import { adaptive } from '../../src/memoize/adaptive/index.js';
import type { EvictionPolicy } from '../../src/memoize/eviction-policy.js';
import { memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { heapAtRest } from '../kit/heap-at-rest.js';

function* loop(keys: number, times: number): Generator<number> {
  for (let time = 0; time < times; time++) for (let key = 0; key < keys; key++) yield key;
}

/** Up and down again: the workload that suits LRU best and S3-FIFO least. */
function* zigzag(keys: number, times: number): Generator<number> {
  for (let time = 0; time < times; time++) {
    for (let key = 0; key < keys; key++) yield key;
    for (let key = keys - 1; key >= 0; key--) yield key;
  }
}

/** A workload that suits one policy, then one that suits the other. */
function* phases(): Generator<unknown> {
  for (let phase = 0; phase < 3; phase++) {
    yield* zigzag(2_000, 10);
    for (const key of zipf(0.8, phase, 5_000, 40_000).keys) yield `zipf ${key}`;
  }
}

describe('the adaptive policy has at most a percentage point less than the better of both', () => {
  test.each([
    ['zipf', () => zipf(0.8, 1, 10_000, 100_000).keys, 100],
    ['zipf', () => zipf(0.8, 1, 10_000, 100_000).keys, 2_000],
    ['a mixed workload', () => mixed(1, 10_000, 100_000).keys, 500],
    ['a loop', () => loop(1_000, 50), 250],
    ['a loop', () => loop(1_000, 50), 900],
    ['a zigzag', () => zigzag(2_000, 20), 50],
    ['a zigzag', () => zigzag(2_000, 20), 500],
    ['a zigzag', () => zigzag(2_000, 20), 1_000],
    ['a zigzag that ends soon', () => zigzag(2_000, 2), 200],
    ['a zigzag that ends soon', () => zigzag(2_000, 3), 500],
    ['a zigzag that ends soon', () => zigzag(2_000, 3), 1_000],
    ['both in turns', phases, 1_000],
  ] as const)('%s, %#', (_, keys, max) => {
    const [lru, s3, ours] = [undefined, s3fifo(), adaptive()].map(
      (policy) => 100 * hitRatio(keys(), max, policy).ratio,
    ) as [number, number, number];
    expect(ours).toBeGreaterThanOrEqual(Math.max(lru, s3) - 1);
  });
});

/** The hits of a cache whose weight is limited, in percent. A key of three is heavier than the others. */
function hitsByWeight(keys: Iterable<unknown>, maxWeight: number, policy?: EvictionPolicy): number {
  const cached = memoize((_key: unknown) => true, {
    maxWeight,
    weigh: (_, key) => (Number(key) % 3 === 0 ? 4 : 1),
    ...(policy && { policy }),
  });
  for (const key of keys) cached(key);
  return 100 * cached.cacheInfo().hitRate;
}

describe('the adaptive policy with `maxWeight` has at most two percentage points less than the better of both', () => {
  test.each([
    ['zipf', () => zipf(0.8, 1, 10_000, 100_000).keys, 200],
    ['zipf', () => zipf(0.8, 1, 10_000, 100_000).keys, 4_000],
    ['a loop', () => loop(1_000, 50), 1_800],
    ['a zigzag', () => zigzag(2_000, 20), 1_000],
    ['a zigzag', () => zigzag(2_000, 20), 2_000],
  ] as const)('%s, %#', (_, keys, maxWeight) => {
    const [lru, s3, ours] = [undefined, s3fifo(), adaptive()].map((policy) =>
      hitsByWeight(keys(), maxWeight, policy),
    ) as [number, number, number];
    expect(ours).toBeGreaterThanOrEqual(Math.max(lru, s3) - 2);
  });
});

test('a cache of one size takes no more memory, however long one policy leads', async () => {
  const cached = memoize((key: number) => key, { max: 50, policy: adaptive() });
  const use = (times: number): void => {
    for (const key of zigzag(100, times)) cached(key);
  };
  use(100);
  const before = await heapAtRest();
  use(2_000);
  expect((await heapAtRest()) - before).toBeLessThan(1_000_000);
});
