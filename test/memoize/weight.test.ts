import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { POLICIES } from '../kit/policies.js';

describe('maxWeight and weigh', () => {
  test('the least recently used entries are evicted for a heavy one', () => {
    const fn = memoize((text: string) => text, { maxWeight: 10, weigh: (value) => value.length });
    for (const text of ['aaaa', 'bbbb', 'aaaa', 'cc']) fn(text);
    expect(fn.cacheInfo()).toMatchObject({ weight: 10, maxWeight: 10, size: 3, evictions: 0 });
    fn('ddddd');
    expect(['aaaa', 'bbbb', 'cc', 'ddddd'].map((text) => fn.has(text))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(fn.cacheInfo()).toMatchObject({ weight: 7, size: 2, evictions: 2, evictedWeight: 8 });
  });

  test('a result that is heavier than the limit is returned and not kept, and evicts nothing', () => {
    const fn = memoize((text: string) => text, { maxWeight: 5, weigh: (value) => value.length });
    fn('aaa');
    expect(fn('toolong')).toBe('toolong');
    expect([fn.has('aaa'), fn.has('toolong')]).toEqual([true, false]);
    expect(fn.cacheInfo()).toMatchObject({ weight: 3, evictions: 0 });
  });

  test('a result that is as heavy as the limit is kept, in place of all others', () => {
    const fn = memoize((text: string) => text, { maxWeight: 5, weigh: (value) => value.length });
    fn('aaa');
    fn('exact');
    expect([fn.has('aaa'), fn.has('exact')]).toEqual([false, true]);
    expect(fn.cacheInfo()).toMatchObject({ weight: 5, evictions: 1 });
  });

  test('a refreshed result that is too heavy removes the stored one', async () => {
    let size = 2;
    const fn = memoize(async (_: string) => 'x'.repeat(size), {
      maxWeight: 5,
      weigh: (value) => value.length,
    });
    await fn('k');
    size = 9;
    expect(await fn.refresh('k')).toHaveLength(9);
    expect(fn.has('k')).toBe(false);
    expect(fn.cacheInfo()).toMatchObject({ weight: 0, size: 0 });
  });

  test('after a replacement, the weight of the new result counts', () => {
    const fn = memoize((text: string) => text, { maxWeight: 10, weigh: (value) => value.length });
    fn('other');
    fn.set(['k'], '12345');
    fn.set(['k'], '1234');
    expect(fn.cacheInfo()).toMatchObject({ weight: 9, size: 2, evictions: 0 });
    fn.set(['k'], '123456');
    expect(fn.cacheInfo()).toMatchObject({ weight: 6, size: 1, evictions: 1 });
    fn.delete('k');
    expect(fn.cacheInfo().weight).toBe(0);
    fn.set(['k'], 'xx');
    fn.clear();
    expect(fn.cacheInfo().weight).toBe(0);
  });

  test('weights that are fractions leave nothing behind, after a clear too', () => {
    const fn = memoize((weight: number) => weight, { maxWeight: 10, weigh: (weight) => weight });
    fn(0.1);
    fn.clear();
    for (const weight of [0, 0.1, 0.2, 0.3]) fn(weight);
    for (const weight of [0.3, 0.1, 0.2]) fn.delete(weight);
    expect(fn.cacheInfo()).toMatchObject({ weight: 0, size: 1 });
  });

  test('together with `max`, both limits hold', () => {
    const fn = memoize((text: string) => text, {
      max: 2,
      maxWeight: 10,
      weigh: (value) => value.length,
    });
    for (const text of ['a', 'b', 'c']) fn(text);
    expect(fn.cacheInfo()).toMatchObject({ size: 2, weight: 2, evictions: 1, evictedWeight: 1 });
  });

  test('without `max`, the number of light entries has no limit', () => {
    const fn = memoize((id: number) => id, { maxWeight: 1_000, weigh: () => 0.5 });
    for (let id = 0; id < 3_000; id++) fn(id);
    expect(fn.cacheInfo()).toMatchObject({ size: 2_000, weight: 1_000, evictions: 1_000 });
  });

  test.each(POLICIES)(
    '$what: without `max`, what weighs nothing leaves after it has expired',
    async ({ options }) => {
      const clock = new FakeClock();
      const fn = memoize(
        (id: number) => {
          if (id % 2 === 1) throw new Error('down');
          return id;
        },
        { ...options, maxWeight: 10, weigh: () => 0, ttl: 100, negativeTtl: 100, clock },
      );
      const load = (from: number): void => {
        for (let id = from; id < from + 1_000; id++) {
          try {
            fn(id);
          } catch {}
        }
      };
      load(0);
      expect(fn.cacheInfo().size).toBe(1_000);
      await clock.advance(100);
      load(1_000);
      expect(fn.cacheInfo()).toMatchObject({ size: 1_000, expirations: 1_000, evictions: 0 });
      fn.clear();
      load(0);
      expect(fn.cacheInfo().size).toBe(1_000);
    },
  );

  test('a malformed weight is reported, and the result is not kept', () => {
    const errors: unknown[] = [];
    const fn = memoize((id: number) => id, {
      maxWeight: 10,
      weigh: (id) => (id === 1 ? Number.NaN : -1),
      onError: (error) => errors.push(error),
    });
    expect([fn(1), fn(2), fn.cacheInfo().size, errors.length]).toEqual([1, 2, 0, 2]);
  });

  test('without entries the weight is 0, whatever the fractions; an infinite weight is not kept', () => {
    const fn = memoize((weight: number) => weight, { maxWeight: Infinity, weigh: (w) => w });
    for (const weight of [0.1, 0.2, 0.3]) fn(weight);
    for (const weight of [0.1, 0.2, 0.3]) fn.delete(weight);
    expect(fn.cacheInfo().weight).toBe(0);
    expect([fn(Infinity), fn.has(Infinity), fn.cacheInfo().weight]).toEqual([Infinity, false, 0]);
    fn(1);
    expect(fn.cacheInfo().weight).toBe(1);
  });

  test('one of the two options without the other is refused', () => {
    expect(() => memoize((x: number) => x, { maxWeight: 5 })).toThrow('need each other');
    expect(() => memoize((x: number) => x, { weigh: () => 1 })).toThrow('need each other');
  });
});

describe('cacheIf', () => {
  test('decides whether a result is kept, by its value and its arguments', async () => {
    let runs = 0;
    const fn = memoize(
      async (id: number) => {
        runs++;
        return id > 5 ? null : { id };
      },
      { cacheIf: (value, id) => value !== null && id !== 3 },
    );
    for (const id of [1, 3, 9, 1, 3, 9]) await fn(id);
    expect(runs).toBe(5);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, hits: 1 });
  });

  test('a result that is not kept removes the stored one', () => {
    let ok = true;
    const fn = memoize((_: string) => ok, { cacheIf: (value) => value });
    fn('k');
    ok = false;
    expect(fn.refresh('k')).toBe(false);
    expect(fn.has('k')).toBe(false);
  });

  test('its error is reported, and the caller gets the result', () => {
    const told: unknown[][] = [];
    const fn = memoize((id: number) => id, {
      name: 'ids',
      cacheIf: () => {
        throw new Error('broken');
      },
      onError: (...args) => told.push(args),
    });
    expect(fn(1)).toBe(1);
    expect(told).toEqual([[new Error('broken'), "the terms of a result of the cache 'ids'"]]);
  });

  test('an invalidation within it applies to the load', async () => {
    const fn = memoize(async (id: number) => id, {
      cacheIf: (_, id) => {
        fn.delete(id);
        return true;
      },
    });
    await fn(1);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, inFlight: 0 });
  });
});
