import Keyv from 'keyv';
import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { settle } from '../kit/settle.js';

const bounds = [
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
  { what: 'timed', options: { ttl: 1_000, clock: { now: () => 0 } } },
];

describe.each(bounds)('keys, $what', ({ options }) => {
  /** The indices of the calls that ran the function. */
  function misses(lists: readonly unknown[][]): boolean[] {
    let runs = 0;
    const fn = memoize((...args: unknown[]) => {
      runs++;
      return args;
    }, options);
    return lists.map((args) => {
      const before = runs;
      expect(fn(...args)).toHaveLength(args.length);
      return runs > before;
    });
  }

  const pairs: { what: string; a: unknown[]; b: unknown[]; same: boolean }[] = [
    { what: '1 and "1" (memoizee primitive mode)', a: [1], b: ['1'], same: false },
    { what: '1 and 1n', a: [1], b: [1n], same: false },
    { what: 'true and "true"', a: [true], b: ['true'], same: false },
    { what: 'NaN and NaN', a: [Number.NaN], b: [Number.NaN], same: true },
    { what: '0 and -0', a: [0], b: [-0], same: true },
    { what: 'nothing and undefined', a: [], b: [undefined], same: false },
    { what: 'undefined and null', a: [undefined], b: [null], same: false },
    { what: '(1) and (1, undefined)', a: [1], b: [1, undefined], same: false },
    { what: 'separator characters', a: ['a\u0001b'], b: ['a', 'b'], same: false },
    { what: '("a", "b") and ("ab", "")', a: ['a', 'b'], b: ['ab', ''], same: false },
    { what: 'two empty Maps (JSON keys)', a: [new Map()], b: [new Map()], same: false },
    { what: 'two equal objects', a: [{ x: 1 }], b: [{ x: 1 }], same: false },
    { what: 'one symbol', a: [Symbol.iterator], b: [Symbol.iterator], same: true },
    { what: 'two lists of three', a: [1, 'x', true], b: [1, 'x', true], same: true },
    { what: 'two that differ in the type of the first', a: [1, 2, 3], b: ['1', 2, 3], same: false },
    { what: 'two that differ in the third', a: [1, 'x', true], b: [1, 'x', false], same: false },
  ];
  test.each(pairs)('$what', ({ a, b, same }) => {
    expect(misses([a, b, a, b])).toEqual([true, !same, false, false]);
  });

  test('an object and a function are keys by identity', () => {
    const object = { x: 1 };
    const callback = (): void => {};
    expect(misses([[object], [callback], [object], [callback], [object, 1], [object, 1]])).toEqual([
      true,
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  test('all arguments count: sindresorhus/memoize#106, RocketChat/Rocket.Chat#17391', () => {
    const add = memoize((a: number, b: number) => a + b, options);
    expect([add(1, 2), add(1, 3), add(2, 2), add(1, 2)]).toEqual([3, 4, 4, 3]);
    expect(add.cacheInfo()).toMatchObject({ hits: 1, misses: 3 });
  });

  test('two functions share nothing: jaredwray/cacheable#742', () => {
    const one = memoize((id: number) => `one ${id}`, options);
    const two = memoize((id: number) => `two ${id}`, options);
    expect([one(1), two(1), one(1), two(1)]).toEqual(['one 1', 'two 1', 'one 1', 'two 1']);
  });

  test('`undefined` stays a result beside others, for keys of all kinds, also after `clear`', () => {
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    const keys = [...numbers.map(String), ...numbers.map((i) => ({ i })), ...numbers];
    let runs = 0;
    const fn = memoize((key: unknown) => {
      runs++;
      return typeof key === 'number' ? key : undefined;
    }, options);
    for (let round = 0; round < 4; round++) {
      if (round === 2) fn.clear();
      for (const key of keys) expect(fn(key)).toBe(typeof key === 'number' ? key : undefined);
    }
    expect(runs).toBe(2 * keys.length);
  });

  test('`undefined` and `null` are results: lru-cache, cacheable, bentocache', () => {
    const results = [undefined, null, 0, '', false, Number.NaN];
    let runs = 0;
    const fn = memoize((index: number, _?: string) => {
      runs++;
      return results[index];
    }, options);
    for (let round = 0; round < 3; round++) {
      for (const index of results.keys()) {
        expect(fn(index)).toBe(results[index]);
        expect(fn(index, 'x')).toBe(results[index]);
        expect(fn.has(index)).toBe(true);
        expect(fn.peek(index)).toBe(results[index]);
      }
    }
    expect(runs).toBe(2 * results.length);
  });

  test('`key` makes one value of all arguments, which is compared by SameValueZero', () => {
    let runs = 0;
    const find = memoize(
      (query: { id: unknown }, _page: number) => {
        runs++;
        return query.id;
      },
      { ...options, key: (query, page) => `${String(query.id)}/${page}` },
    );
    expect([find({ id: 1 }, 1), find({ id: 1 }, 1), find({ id: 1 }, 2)]).toEqual([1, 1, 1]);
    expect(runs).toBe(2);
    expect(find.has({ id: 1 }, 2)).toBe(true);
    expect(find.delete({ id: 1 }, 2)).toBe(true);
    expect(find.has({ id: 1 }, 2)).toBe(false);
  });

  test.each([[undefined], [null], [Number.NaN], ['']])('`key` may return %s', (key) => {
    let runs = 0;
    const fn = memoize((_: unknown) => ++runs, { ...options, key: () => key });
    expect([fn({}), fn({})]).toEqual([1, 1]);
  });

  test('a `key` that throws fails the call, and has no other effect', () => {
    const fn = memoize((id: number) => id, {
      ...options,
      key: (id) => {
        if (id < 0) throw new RangeError('negative');
        return id;
      },
    });
    expect(() => fn(-1)).toThrow(RangeError);
    expect(fn(1)).toBe(1);
    expect(fn.cacheInfo()).toMatchObject({ misses: 1, size: 1, inFlight: 0 });
  });
});

test.each(bounds)(
  'a result of undefined is a hit, whatever the number of arguments: $what',
  ({ options }) => {
    let runs = 0;
    const fn = memoize((..._: unknown[]): void => {
      runs++;
    }, options);
    for (const args of [[], [1], [1, 2], [1, 2, 3], [{}, 1]]) {
      expect([fn(...args), fn(...args)]).toEqual([undefined, undefined]);
    }
    expect(runs).toBe(5);
  },
);

describe('an argument list that is changed after the call', () => {
  const changed = (id: string, change: (list: [string]) => unknown): string => {
    const list: [string] = [id];
    change(list);
    list[0] = 'changed';
    return id;
  };

  test('does not change what a forced call loads: rails/rails#43883', async () => {
    const fn = memoize(async (id: string) => `the result of ${id}`);
    await fn('warm');
    changed('a', (list) => fn.call(list, { forceRefresh: true }));
    expect(await fn('a')).toBe('the result of a');
  });

  test('does not change what a call loads after it has read the shared store: rails/rails#43883', async () => {
    const store = new Keyv({ store: new Map() });
    const fn = memoize(async (id: string) => `the result of ${id}`, {
      name: 'results',
      shared: sharedCache({ store }),
    });
    const { signal } = new AbortController();
    changed('a', (list) => fn.call(list, { signal }));
    expect(await fn('a')).toBe('the result of a');
  });

  test('does not change what callbacks are told of a promise that was set', async () => {
    const told: string[] = [];
    const fn = memoize(async (id: string) => id, {
      cacheIf: (_, id) => told.push(id) > 0,
    });
    changed('a', (list) => fn.set(list, Promise.resolve('set')));
    await settle();
    expect(told).toEqual(['a']);
  });

  test('by its loader or a listener does not change the call: google/guava#5810', async () => {
    const told: string[] = [];
    const fn = memoize((id: string): string => id, {
      cacheIf: (_, id) => told.push(id) > 0,
      load: ({ args }) => `the result of ${args.shift()}`,
    });
    for (const event of ['miss', 'hit', 'stale'] as const) {
      fn.on(event, ({ args }) => (args as string[]).reverse().push('changed'));
    }
    expect([fn('a'), fn('a')]).toEqual(['the result of a', 'the result of a']);
    expect(told).toEqual(['a']);
    const pair = memoize((a: string, b: string) => a + b);
    pair.on('miss', ({ args }) => (args as string[]).reverse());
    expect(pair('a', 'b')).toBe('ab');
  });
});

test('a list of twenty thousand arguments can be forgotten and evicted: Bijoujs/Bijou.js#54', () => {
  const sum = memoize((...values: number[]) => values.length, { max: 1 });
  const many = Array.from({ length: 20_000 }, (_, value) => value);
  expect([sum(...many), sum.delete(...many), sum(...many)]).toEqual([20_000, true, 20_000]);
  expect([sum(1), sum.has(...many), sum.cacheInfo().evictions]).toEqual([1, false, 1]);
});

test('a list of twenty thousand objects, or of one after as many numbers, is kept and forgotten', () => {
  const many = Array.from({ length: 20_000 }, (_, value) => ({ value }));
  const numbers = many.map(({ value }) => value);
  for (const options of [{}, { max: 1 }]) {
    const count = memoize((...values: unknown[]) => values.length, options);
    for (const list of [many, [...numbers, many[0]]]) {
      const counts = [count(...list), count(...list), count.delete(...list), count.has(...list)];
      expect(counts).toEqual([list.length, list.length, true, false]);
    }
    expect(count.cacheInfo()).toMatchObject({ hits: 2, size: 0 });
  }
});
