import { describe, expect, expectTypeOf, onTestFinished, test, vi } from 'vitest';
import { type DumpedEntry, dump, restore } from '../../src/memoize/dump/index.js';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { stubWeakRef } from '../kit/stub-weak-ref.js';

describe('dump and restore', () => {
  test('a new cache begins with the results of the old one, through JSON', () => {
    const area = (width: number, height: number): number => width * height;
    const old = memoize(area);
    for (let i = 1; i < 5; i++) old(i, 2);
    const dumped = JSON.parse(JSON.stringify(dump(old))) as DumpedEntry<number>[];
    expect(dumped).toHaveLength(4);
    expect(dumped[0]).toEqual({ args: [1, 2], value: 2 });
    const warm = memoize(area);
    restore(warm, dumped);
    expect([1, 2, 3, 4].map((i) => warm(i, 2))).toEqual([2, 4, 6, 8]);
    expect(warm.cacheInfo()).toMatchObject({ hits: 4, misses: 0, loads: 0, size: 4 });
  });

  test('an asynchronous function: the dump has the settled results', async () => {
    const user = async (id: number): Promise<{ id: number }> => ({ id });
    const old = memoize(user, { max: 10 });
    for (const id of [1, 2]) await old(id);
    const dumping = dump(old);
    expectTypeOf(dumping).toEqualTypeOf<Promise<DumpedEntry<{ id: number }>[]>>();
    const dumped = await dumping;
    expect(dumped).toEqual([
      { args: [1], value: { id: 1 }, async: true },
      { args: [2], value: { id: 2 }, async: true },
    ]);
    const warm = memoize((id: number) => user(id), { max: 10 });
    restore(warm, dumped);
    const loaded = warm(1);
    expect(loaded).toBeInstanceOf(Promise);
    expect(await loaded).toEqual({ id: 1 });
    expect(warm.cacheInfo().misses).toBe(0);
    expect(await dump(warm)).toHaveLength(2);
    expect(await dump(memoize(user))).toEqual([]);
  });

  test('a function that was never called: the empty dump serves as an array and as a promise', async () => {
    const user = (id: number): Promise<{ id: number }> => Promise.resolve({ id });
    const dumped = await dump(memoize(user)).then((entries) => entries);
    expect(dumped).toEqual([]);
    expect(await dump(memoize(user)).finally(() => {})).toEqual([]);
    expect(await dump(memoize(user)).catch(() => 'failed')).toEqual([]);
    const double = memoize((n: number): number => 2 * n);
    expect(JSON.stringify(dump(double))).toBe('[]');
    expect(dump(double).map(({ args }) => args)).toEqual([]);
    restore(double, dump(double));
    double(1);
    double.clear();
    expect(dump(double)).not.toHaveProperty('then');
  });

  test('a function that returns promises for some arguments returns them for no others afterwards: caolan/async#415', async () => {
    const half = (n: number): number | Promise<number> =>
      n % 2 === 0 ? n / 2 : Promise.resolve(n);
    for (const options of [{}, { ttl: 100, staleIfError: 100, clock: new FakeClock() }]) {
      const old = memoize(half, options);
      for (const n of [1, 2, Number.NaN]) await old(n);
      old.set([4], Number.NaN);
      const dumped = await dump(old);
      expect(dumped.map(({ async }) => async)).toEqual([true, undefined, true, undefined]);
      const warm = memoize(half, options);
      restore(warm, dumped);
      expect([warm(2), await warm(1), warm(4)]).toEqual([1, 1, Number.NaN]);
      expect(warm(1)).toBeInstanceOf(Promise);
      expect(warm.cacheInfo().misses).toBe(0);
    }
  });

  test('a restored cache evicts the least recently used results of the dump first', () => {
    const old = memoize((id: number) => id, { max: 3 });
    for (const id of [1, 2, 3, 1]) old(id);
    expect(dump(old).map(({ args }) => args[0])).toEqual([2, 3, 1]);
    const warm = memoize((id: number) => id, { max: 2 });
    restore(warm, dump(old));
    expect([1, 2, 3].map((id) => warm.has(id))).toEqual([true, false, true]);
  });

  test('each entry of a cache with `weigh` has a weight, 0 too, and needs one: isaacs/node-lru-cache#299', () => {
    const measure = (text: string): string => text;
    const weighed = () => memoize(measure, { maxWeight: 5, weigh: (text) => text.length });
    const [old, warm, plain] = [weighed(), weighed(), memoize(measure)];
    for (const text of ['', 'abc']) {
      old(text);
      plain(text);
    }
    expect(dump(old).map(({ weight }) => weight)).toEqual([0, 3]);
    expect(() => restore(warm, dump(plain))).toThrow(/restore: `weight` must be a number ≥ 0/);
    expect(warm.cacheInfo()).toMatchObject({ size: 0, weight: 0 });
    restore(warm, dump(old));
    expect(warm.cacheInfo()).toMatchObject({ size: 2, weight: 3 });
    restore(plain, dump(old));
    expect(plain.cacheInfo()).toMatchObject({ size: 2, weight: 0 });
  });

  test('a restored result that is too heavy replaces the present one, and is not kept', () => {
    let runs = 0;
    const fn = memoize((_: string) => ++runs, { maxWeight: 5, weigh: () => 1 });
    fn('k');
    restore(fn, [{ args: ['k'], value: 0, weight: 6 }]);
    expect([fn.has('k'), fn.cacheInfo().weight, fn('k')]).toEqual([false, 0, 2]);
  });

  test('a dump has the rest of the ttl, the tags and the weight; expired results and failures are left out', () => {
    const clock = new FakeClock();
    const make = () =>
      memoize(
        (text: string) => {
          if (text === '') throw new Error('empty');
          return text;
        },
        {
          ttl: 100,
          staleWhileRevalidate: 1_000,
          negativeTtl: 1_000,
          maxWeight: 10,
          weigh: (value) => value.length,
          tags: (value) => [value],
          clock,
        },
      );
    const old = make();
    old('old');
    clock.jump(60);
    old('new');
    expect(() => old('')).toThrow('empty');
    clock.jump(60);
    const dumped = dump(old);
    expect(dumped).toEqual([{ args: ['new'], value: 'new', ttl: 40, tags: ['new'], weight: 3 }]);
    const warm = make();
    restore(warm, dumped);
    restore(warm, [{ args: ['x'], value: 'too heavy', weight: 11 }]);
    expect(warm.cacheInfo()).toMatchObject({ size: 1, weight: 3 });
    clock.jump(39);
    expect(warm('new')).toBe('new');
    expect(warm.cacheInfo().staleHits).toBe(0);
    clock.jump(1);
    warm('new');
    expect(warm.cacheInfo().staleHits).toBe(1);
    expect(warm.invalidateTags('new')).toBe(1);
  });

  test('a restored result is due when the dumped one would have been', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const cache = () => memoize((_: string) => ++runs, { refreshAfter: 1_000, clock });
    const [old, warm] = [cache(), cache()];
    old('k');
    clock.jump(900);
    restore(warm, JSON.parse(JSON.stringify(dump(old))));
    clock.jump(99);
    warm('k');
    await settle();
    expect(runs).toBe(1);
    clock.jump(1);
    expect(dump(warm)).toMatchObject([{ refreshIn: 0 }]);
    clock.jump(1);
    expect(dump(warm)).toMatchObject([{ refreshIn: 0 }]);
    warm('k');
    await settle();
    expect(runs).toBe(2);
  });

  test('a record whose ttl is over takes no place', () => {
    const fn = memoize((n: number) => n, { max: 1 });
    fn(1);
    restore(fn, [{ args: [2], value: 2, ttl: 0 }]);
    expect([fn.has(1), fn.has(2)]).toEqual([true, false]);
  });

  test('a result that was not used for its `idleTtl` is left out', () => {
    const clock = new FakeClock();
    const fn = memoize((id: number) => id, { idleTtl: 100, clock });
    fn(1);
    clock.jump(99);
    fn(2);
    clock.jump(1);
    expect(dump(fn)).toEqual([{ args: [2], value: 2 }]);
  });

  test('with `key`, the key stands for the arguments', () => {
    const fn = (query: { id: number }): string => `#${query.id}`;
    const key = ({ id }: { id: number }): string => `id ${id}`;
    const old = memoize(fn, { key });
    old({ id: 7 });
    expect(dump(old)).toEqual([{ args: ['id 7'], value: '#7' }]);
    const warm = memoize(fn, { key });
    restore(warm, dump(old));
    expect(warm.peek({ id: 7 })).toBe('#7');
    const two = { args: ['id 7', 'id 8'], value: '#7' };
    expect(() => restore(warm, [two])).toThrow(/`args` must be a list of one key/);
  });

  test('results of methods are left out, and an object in a key is refused', () => {
    const fn = memoize(function (this: unknown, ...args: unknown[]) {
      return args.length;
    });
    Reflect.apply(fn, { a: 1 }, [1]);
    fn(undefined, null);
    expect(dump(fn)).toEqual([{ args: [{ u: 0 }, null], value: 2 }]);
    fn({});
    expect(() => dump(fn)).toThrow(/object or a symbol in its key.*`key`/);
  });

  test('arguments and results come through JSON as they were: open-jii#1916', () => {
    const odd = [undefined, null, Number.NaN, Infinity, -Infinity, 1n, '1', 1, true, '', -0];
    const old = memoize((value: unknown) => value);
    for (const value of odd) old(value);
    const warm = memoize((_: unknown): unknown => 'loaded again');
    restore(warm, JSON.parse(JSON.stringify(dump(old))));
    expect(odd.map((value) => warm(value))).toEqual(odd);
  });

  test.each([
    [null],
    [5],
    [{}],
    [{ args: 'k' }],
    [{ args: [{}] }],
    [{ args: [{ b: 'x' }] }],
    [{ args: [{ b: '9'.repeat(1_000_000) }] }],
    [{ args: ['k'], value: 1, ttl: -1 }],
    [{ args: ['k'], value: 1, ttl: 'soon' }],
    [{ args: ['k'], value: 1, tags: 'ab' }],
    [{ args: ['k'], value: 1, tags: [1] }],
    [{ args: ['k'], value: 1, weight: -1 }],
    [{ args: ['k'], value: 1, async: 'yes' }],
    [{ args: ['k'], value: 1, expires: 1 }],
  ])('a malformed entry is refused, and nothing is stored: %j', (entry) => {
    const fn = memoize((_: string) => 1);
    const sound = { args: ['sound'], value: 1 };
    expect(() => restore(fn, [sound, entry as never])).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
    expect(fn.cacheInfo().size).toBe(0);
  });

  test('entries that cannot be iterated, and what is no entry, are refused by name', () => {
    const fn = memoize(async (_: string) => 1);
    for (const entries of [5, null, 'ab', dump(fn)]) {
      expect(() => restore(fn, entries as never)).toThrow('restore: `entries` must be an array');
    }
    expect(() => restore(fn, [5 as never])).toThrow('restore: `entry` must be an object');
  });

  test('entries are read up to the first malformed one, and their source is closed', () => {
    const fn = memoize((_: string) => 1);
    const seen: string[] = [];
    function* endless(): Iterable<never> {
      try {
        for (;;) yield { args: [seen.push('read') > 2 ? {} : 'k'], value: 1 } as never;
      } finally {
        seen.push('closed');
      }
    }
    expect(() => restore(fn, endless())).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
    expect(seen).toEqual(['read', 'read', 'read', 'closed']);
    expect(fn.cacheInfo().size).toBe(0);
  });

  test('no result stays longer than the `ttl` of the cache that restores it', () => {
    const clock = new FakeClock();
    const warm = memoize((_: string) => 'loaded', { ttl: 100, clock });
    restore(warm, [
      { args: ['for ever'], value: 'dumped' },
      { args: ['longer'], value: 'dumped', ttl: 1e12 },
      { args: ['shorter'], value: 'dumped', ttl: 50 },
    ]);
    clock.jump(50);
    expect([...warm.keys()].flat()).toEqual(['for ever', 'longer']);
    clock.jump(50);
    expect([...warm.keys()]).toEqual([]);
  });

  test('the lifetime of a dump continues through a cache without a `ttl`', () => {
    const clock = new FakeClock();
    clock.jump(1_000_000);
    const between = memoize((_: string) => 'loaded', { clock });
    restore(between, [{ args: ['k'], value: 'dumped', ttl: 100 }]);
    clock.jump(60);
    expect(dump(between)).toEqual([{ args: ['k'], value: 'dumped', ttl: 40 }]);
    clock.jump(40);
    expect(dump(between)).toEqual([]);
  });

  test('restored promises make a dump a promise before the first load', async () => {
    const warm = memoize((id: number) => Promise.resolve({ id }));
    const dumped: DumpedEntry<{ id: number }>[] = [{ args: [1], value: { id: 1 }, async: true }];
    restore(warm, dumped);
    expect(await dump(warm)).toEqual(dumped);
  });

  test('a result that was collected a moment ago, so that its entry is still there, is left out', () => {
    const dead = stubWeakRef();
    onTestFinished(() => void vi.unstubAllGlobals());
    const fn = memoize((id: number) => ({ id }), { weakValues: true });
    const kept = fn(1);
    dead.add(fn(2));
    expect(dump(fn)).toEqual([{ args: [1], value: kept }]);
  });

  test('`undefined` is a result', () => {
    const old = memoize((_: number) => undefined);
    old(1);
    const warm = memoize((_: number) => undefined);
    restore(warm, dump(old));
    expect(warm.has(1)).toBe(true);
    warm(1);
    expect(warm.cacheInfo()).toMatchObject({ hits: 1, misses: 0 });
  });

  test('restore replaces stored results and loads in flight; a disposed cache stores nothing', async () => {
    const fn = memoize(async (_: string) => 'loaded');
    const loading = fn('k');
    restore(fn, [{ args: ['k'], value: 'dumped', async: true }]);
    expect(await fn('k')).toBe('dumped');
    expect(await loading).toBe('loaded');
    expect(await fn('k')).toBe('dumped');
    fn[Symbol.dispose]();
    restore(fn, [{ args: ['k'], value: 'dumped', async: true }]);
    expect(fn.cacheInfo().size).toBe(0);
  });
});
