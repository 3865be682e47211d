import { describe, expect, test } from 'vitest';
import { createCache, InvalidArgumentError, memoize, memoized } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';

describe('options', () => {
  test.each([
    [{ maxAge: 1 }, /unknown option `maxAge`.*Known options: cacheIf, clock, dispose/],
    [{ max: -1 }, /`max` must be an integer ≥ 0, or Infinity, got -1/],
    [{ max: 1.5 }, /`max`/],
    [{ max: Number.NaN }, /`max`/],
    [{ max: '10' }, /`max`/],
    [{ ttl: -1 }, /`ttl` must be a number of milliseconds ≥ 0, or a function, got -1/],
    [{ ttl: Number.NaN }, /`ttl`/],
    [{ key: 'id' }, /`key` must be a function/],
    [{ name: '' }, /`name`/],
    [{ loadTimeoutMillis: null }, /`loadTimeoutMillis` must be a number of milliseconds > 0/],
    [{ loadTimeoutMillis: { soft: 5, hard: 1 } }, /`loadTimeoutMillis` must be .* soft < hard/],
    [{ loadTimeoutMillis: { soft: 5, hard: 5 } }, /`loadTimeoutMillis` must be .* soft < hard/],
    [{ clock: {} }, /`clock` must be an object with now\(\)/],
    [{ policy: s3fifo() }, /`policy` needs a limit: give `max` or `maxWeight`/],
    [{ policy: s3fifo(), max: Infinity }, /`policy` needs a limit/],
    [{ negativeTags: () => ['a'] }, /`negativeTags` needs `negativeTtl`/],
    [{ negativeTags: () => ['a'], negativeTtl: 0 }, /`negativeTags` needs `negativeTtl`/],
    [null, /options must be a plain object/],
  ])('%j is refused', (options, message) => {
    const make = (): unknown => memoize((x: number) => x, options as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });

  test.each<[name: string, make: (options: object) => unknown]>([
    ['createCache', createCache],
    ['memoized', memoized],
  ])('%s names itself where it refuses options', (name, make) => {
    const refusal = (options: object): string => {
      try {
        make(options);
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing is refused';
    };
    for (const options of [{ max: -1 }, { maxAge: 1 }, { weigh: () => 1 }, { policy: s3fifo() }]) {
      expect(refusal(options)).toMatch(new RegExp(`^${name}: `));
    }
  });

  test.each<[name: string, make: (options: never) => unknown, refused: string[]]>([
    ['createCache', createCache, ['key', 'load']],
    ['memoized', memoized, ['shared']],
  ])('%s does not name an option as known that it refuses', (_, make, refused) => {
    const known = (options: object): string => {
      try {
        make(options as never);
      } catch (error) {
        return /Known options: (.*)\./.exec((error as Error).message)?.[1] ?? '';
      }
      return 'nothing is refused';
    };
    const names = known({ maxAge: 1 }).split(', ');
    expect(names).toContain('max');
    for (const name of refused) {
      expect(names).not.toContain(name);
      expect(() => make({ [name]: () => 1 } as never)).toThrow(InvalidArgumentError);
      expect(() => make({ [name]: undefined } as never)).not.toThrow();
    }
  });

  test('a value that is not a function is refused', () => {
    expect(() => memoize('fn' as never)).toThrow(/memoize: `fn` must be a function, got "fn"/);
  });

  test('`undefined` counts as not given', () => {
    const fn = memoize((x: number) => x, { max: undefined, ttl: undefined } as object);
    expect(fn.cacheInfo().max).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the memoized function', () => {
  test('has the name, the length and the properties of the function', () => {
    const original = Object.assign(
      function original(this: unknown, a: number, b: number) {
        return a + b;
      },
      { version: 3 },
    );
    const memoized = memoize(original);
    expect([memoized.name, memoized.length, memoized.version]).toEqual(['original', 2, 3]);
    expect(memoized.wrapped).toBe(original);
    expect(Object.keys(memoized)).toEqual(['version']);
  });

  test('returns the stored result itself, not a copy: jaredwray/cacheable#137, medikoo/memoizee#32', () => {
    const fn = memoize((x: number) => ({ x }), { max: 5 });
    fn(1).x = 2;
    expect(fn(1)).toEqual({ x: 2 });
    const frozen = memoize((x: number) => Object.freeze({ x }), { max: 5 });
    expect(() => Object.assign(frozen(1), { x: 2 })).toThrow(TypeError);
  });

  test('members need no receiver', () => {
    const fn = memoize((x: number) => x);
    const { delete: forget, clear, peek, has, set, cacheInfo } = fn;
    set([1], 5);
    expect([peek(1), has(1), cacheInfo().size, forget(1)]).toEqual([5, true, 1, true]);
    clear();
  });

  test('a frozen function can be memoized, also one that has properties with names of members', () => {
    const frozen = Object.freeze(Object.assign((x: number) => x, { clear: 5, unit: 'ms' }));
    const fn = memoize(frozen);
    expect([fn(1), fn.unit, typeof fn.clear]).toEqual([1, 'ms', 'function']);
    expect(memoize(Object.freeze(memoize((x: number) => x)))(2)).toBe(2);
  });

  test('a disposed function with `load` calls it', async () => {
    const fn = memoize(async (x: number) => x, { load: async ({ args: [x] }) => x * 10 });
    fn[Symbol.dispose]();
    expect([await fn(1), await fn.call([2], { signal: new AbortController().signal })]).toEqual([
      10, 20,
    ]);
  });

  test('can be memoized again', () => {
    const inner = memoize((x: number) => ({ x }), { max: 1 });
    const outer = memoize(inner);
    expect(outer(1)).toBe(outer(1));
    outer.clear();
    outer(1);
    expect(inner.cacheInfo()).toMatchObject({ hits: 1, misses: 1 });
  });
});
