import { LRUCache } from 'lru-cache';
import { describe, expect, test, vi } from 'vitest';
import { type EvictionPolicy, memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';

describe('max', () => {
  test('the least recently used entry is evicted first: node-cache/node-cache#155', () => {
    const fn = memoize((id: number) => id, { max: 3 });
    for (const id of [1, 2, 3, 1, 4]) fn(id);
    expect([1, 2, 3, 4].map((id) => fn.has(id))).toEqual([true, false, true, true]);
    expect([...fn.keys()].flat()).toEqual([3, 1, 4]);
    expect(fn.cacheInfo()).toMatchObject({ size: 3, max: 3, evictions: 1, hits: 1, misses: 4 });
  });

  test('`peek` and `has` do not count as a use of an entry', () => {
    const fn = memoize((id: number) => id, { max: 2 });
    fn(1);
    fn(2);
    fn.peek(1);
    fn.has(1);
    fn(3);
    expect(fn.has(1)).toBe(false);
  });

  test('the bound holds while the store grows, in order, for one argument and for several', () => {
    const max = 1_000;
    const one = memoize((id: number) => id, { max });
    const two = memoize((a: number, b: string) => `${a}${b}`, { max });
    for (let id = 0; id < 500; id++) {
      one(id);
      two(id, 'x');
    }
    for (let id = 0; id < 100; id++) {
      one(id);
      two(id, 'x');
    }
    for (let id = 500; id < 1_200; id++) {
      one(id);
      two(id, 'x');
    }
    const kept = (id: number): boolean => id < 100 || id >= 300;
    for (let id = 0; id < 1_200; id++) {
      expect(one.has(id)).toBe(kept(id));
      expect(two.has(id, 'x')).toBe(kept(id));
    }
    expect(one.cacheInfo()).toMatchObject({ size: 1_000, evictions: 200 });
  });

  test('max 0 keeps no result', () => {
    let runs = 0;
    const fn = memoize((_: number) => ++runs, { max: 0 });
    expect([fn(1), fn(1)]).toEqual([1, 2]);
    expect(fn.cacheInfo()).toMatchObject({ hits: 0, misses: 2, size: 0, max: 0, evictions: 0 });
  });

  test('there is no bound by default: planttheidea/moize#149 (a default of 1)', () => {
    const fn = memoize((id: number) => id);
    for (let id = 0; id < 5_000; id++) fn(id);
    expect(fn.cacheInfo()).toMatchObject({
      size: 5_000,
      evictions: 0,
      max: Number.POSITIVE_INFINITY,
    });
    expect(memoize((id: number) => id, { max: Number.POSITIVE_INFINITY }).cacheInfo().max).toBe(
      Number.POSITIVE_INFINITY,
    );
  });

  test('nothing is laid out for entries that never come: isaacs/node-lru-cache#208, PostHog/posthog#43537', () => {
    const fill = vi.spyOn(Array.prototype, 'fill'); // Every lru-cache 11 fills its arrays.
    try {
      new LRUCache({ max: 7_777 });
      expect(largest(fill)).toBe(7_777); // The spy sees the arrays of lru-cache.
      fill.mockClear();
      const caches = Array.from({ length: 3 }, () => memoize((id: number) => id, { max: 1e6 }));
      fill.mockClear();
      for (const cache of caches) for (let id = 0; id < 60; id++) cache(id);
      expect(largest(fill)).toBeLessThan(1_000);
    } finally {
      fill.mockRestore();
    }
  });
});

function largest(fill: { readonly mock: { readonly contexts: readonly unknown[] } }): number {
  return Math.max(0, ...fill.mock.contexts.map((array) => (array as unknown[]).length));
}

test('a `Map` that is full leaves further calls answered and not kept, and the earlier results in place', () => {
  let runs = 0;
  const square = memoize((n: number) => {
    runs++;
    return n * n;
  });
  square(1);
  const { set } = Map.prototype;
  vi.spyOn(Map.prototype, 'set').mockImplementation(function (
    this: Map<unknown, unknown>,
    key,
    value,
  ) {
    if (key === 2) throw new RangeError('Map maximum size exceeded');
    return set.call(this, key, value);
  });
  try {
    expect([square(2), square(2), square(1)]).toEqual([4, 4, 1]);
    expect(runs).toBe(3);
    expect(square.cacheInfo()).toMatchObject({ size: 1, inFlight: 0 });
  } finally {
    vi.restoreAllMocks();
  }
});

test.each([
  { what: 'max', options: { max: 2 ** 24 } },
  { what: 'maxWeight alone', options: { maxWeight: 1e9, weigh: () => 1 } },
])(
  '$what: a store gets a bound that a `Map` of V8 can churn: isaacs/node-lru-cache#331, terascope/teraslice#3244',
  ({ options }) => {
    const bounds: number[] = [];
    const policy: EvictionPolicy = {
      makeStore: (max, onRemoved) => {
        bounds.push(max);
        return s3fifo().makeStore(max, onRemoved);
      },
    };
    const fn = memoize((n: number) => n, { ...options, policy });
    expect([fn(1), bounds]).toEqual([1, [8_388_608]]);
    expect(fn.cacheInfo().max).toBe(8_388_608);
  },
);
