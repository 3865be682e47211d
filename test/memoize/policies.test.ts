/** What a cache promises whichever policy evicts its entries. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { zipf } from '../../bench/hit-ratio/workloads.js';
import { observe } from '../../src/core/probe.js';
import { disposal } from '../../src/memoize/disposal/index.js';
import { dump, restore } from '../../src/memoize/dump/index.js';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { POLICIES } from '../kit/policies.js';
import { RecordingObserver } from '../kit/recording-observer.js';

describe.each(POLICIES)('the policy $what', ({ options }) => {
  test('reports evictions, disposals and entries', () => {
    const gone: string[] = [];
    const observer = new RecordingObserver();
    const fn = memoize((id: number) => ({ id }), {
      max: 10,
      ...options,
      dispose: disposal((value, key, cause) => {
        gone.push(`${value.id} ${String(key)} ${cause}`);
      }),
    });
    fn[observe](observer);
    for (let id = 0; id < 12; id++) fn(id);
    fn.set([11], { id: 11 });
    fn.delete(11);
    expect(gone).toEqual(['0 0 size', '1 1 size', '11 11 replaced', '11 11 explicit']);
    expect(fn.cacheInfo()).toMatchObject({ size: 9, max: 10, evictions: 2, disposals: 4 });
    expect(observer.live.size).toBe(9);
    fn.clear();
    expect(observer.live.size).toBe(0);
    expect(fn.cacheInfo()).toMatchObject({ size: 0, evictions: 2 });
  });

  test('keeps the weight within `maxWeight` by evictions', () => {
    const fn = memoize((id: number) => id, {
      ...options,
      maxWeight: 1_000,
      weigh: (id) => 1 + (id % 7),
    });
    for (let id = 0; id < 5_000; id++) {
      fn(id % 700);
      expect(fn.cacheInfo().weight).toBeLessThanOrEqual(1_000);
    }
    expect(fn.cacheInfo().weight).toBeGreaterThan(990);
  });

  test.each([
    { what: 'as heavy', weigh: () => 1, maxWeight: 100 },
    { what: 'lighter and heavier', weigh: (value: number) => 1 + (value % 3), maxWeight: 200 },
  ])(
    'a result that is replaced by one $what at the limit of the weight stays in use',
    ({ weigh, maxWeight }) => {
      const [byCount, byWeight] = [{ max: 100 }, { maxWeight, weigh }].map((limit) => {
        const fn = memoize((id: number) => id, { ...limit, ...options });
        let count = 0;
        for (const key of zipf(1, 1, 2_000, 20_000).keys) {
          fn(key);
          if (++count % 3 === 0) fn.set([key], count);
        }
        return fn.cacheInfo().hitRate;
      }) as [number, number];
      expect(byWeight).toBeGreaterThan(byCount - 0.01);
    },
  );

  test('keeps the weight within `maxWeight` when NaN is a key: alexreardon/memoize-one#101', () => {
    const fn = memoize((id: number) => id, {
      ...options,
      max: 3,
      maxWeight: 4,
      weigh: (id) => (Number.isNaN(id) ? 1 : id % 4),
    });
    for (let call = 0; call < 1_000; call++) {
      fn(call % 5 === 0 ? Number.NaN : (call * 7) % 11);
      expect(fn.cacheInfo().weight).toBeLessThanOrEqual(4);
    }
  });

  test('lets entries expire', () => {
    const clock = new FakeClock();
    const fn = memoize((id: number) => ({ id }), { max: 10, ...options, ttl: 100, clock });
    const first = fn(1);
    clock.jump(99);
    expect(fn(1)).toBe(first);
    clock.jump(1);
    expect(fn.has(1)).toBe(false);
    expect(fn(1)).not.toBe(first);
    expect(fn.cacheInfo()).toMatchObject({ expirations: 1, hits: 1, misses: 2 });
  });

  test('keeps one entry with max 1, and none with max 0', () => {
    const one = memoize((id: number) => id, { max: 1, ...options });
    for (const id of [1, 1, 1, 2, 2, 3]) one(id);
    expect(one.cacheInfo()).toMatchObject({ size: 1, hits: 3, misses: 3, evictions: 2 });
    const none = memoize((id: number) => id, { max: 0, ...options });
    expect([none(1), none.cacheInfo().size]).toEqual([1, 0]);
  });

  test('gives each present entry once to an iteration that deletes and stores', () => {
    const fn = memoize((id: number) => id, { max: 20, ...options });
    for (let id = 0; id < 20; id++) fn(id);
    const seen: number[] = [];
    for (const [id] of fn.keys() as Iterable<[number]>) {
      seen.push(id);
      if (id % 2 === 0) fn.delete(id + 1);
      fn.set([id], id);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect([...fn.keys()].flat()).toEqual(expect.arrayContaining(seen));
    expect(fn.cacheInfo().size).toBe(10);
  });

  test('a dump that is restored has the same entries', () => {
    const fn = memoize((id: number) => id * 2, { max: 20, ...options });
    for (let id = 0; id < 30; id++) for (let times = id % 3; times >= 0; times--) fn(id);
    const again = memoize((id: number) => id * 2, { max: 20, ...options });
    restore(again, dump(fn));
    expect(new Set([...again.entries()].map(String))).toEqual(
      new Set([...fn.entries()].map(String)),
    );
    expect(again.cacheInfo().size).toBe(20);
  });

  test('finds objects again by identity', () => {
    const fn = memoize((_: object, id: number) => ({ id }), { max: 4, ...options });
    const [one, another] = [{}, {}];
    const result = fn(one, 1);
    expect(fn(another, 1)).not.toBe(result);
    expect(fn(one, 1)).toBe(result);
  });

  test('random calls, deletions and stores: each answer is that of the last store, within max and weight', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ op: fc.constant('call' as const), key: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), key: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('set' as const), key: fc.nat(30) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('clear' as const), key: fc.nat(0) }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(step, { maxLength: 300 }),
        (max, steps) => {
          let version = 0;
          const last = new Map<number, number>();
          const load = (key: number): number => {
            last.set(key, ++version);
            return version;
          };
          const fn = memoize(load, { max, ...options });
          for (const { op, key } of steps) {
            if (op === 'call') expect(fn(key)).toBe(last.get(key));
            else if (op === 'delete') fn.delete(key);
            else if (op === 'set') fn.set([key], load(key));
            else fn.clear();
            const { size } = fn.cacheInfo();
            expect(size).toBeLessThanOrEqual(max);
            expect([...fn.keys()]).toHaveLength(size);
            expect(fn.has(key)).toBe(op === 'call' || op === 'set');
          }
        },
      ),
    );
  });
});
