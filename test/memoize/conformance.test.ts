/**
 * What users of `memoize` and `p-memoize` rely on, taken from the test suites of these packages. The tests run through
 * the shim that a migration would write: those packages use the first argument alone as the key, and have other names
 * for the options.
 */
import { describe, expect, test } from 'vitest';
import { cacheOf, memoize, memoized } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';

interface TheirOptions {
  readonly cacheKey?: (args: unknown[]) => unknown;
  readonly maxAge?: number | ((...args: unknown[]) => number);
  readonly shouldCache?: (value: unknown, info: { argumentsList: unknown[] }) => boolean;
}

type Fn<R> = (...args: unknown[]) => R;

function theirs<R>(fn: Fn<R>, options: TheirOptions = {}, clock = new FakeClock()) {
  const { cacheKey, maxAge, shouldCache } = options;
  return memoize(fn, {
    key: (...args: unknown[]) => (cacheKey === undefined ? args[0] : cacheKey(args)),
    clock,
    ...(maxAge === undefined
      ? {}
      : { ttl: typeof maxAge === 'number' ? maxAge : (_, ...args: unknown[]) => maxAge(...args) }),
    ...(shouldCache === undefined
      ? {}
      : { cacheIf: (value, ...args: unknown[]) => shouldCache(value, { argumentsList: args }) }),
  });
}

/** A function that counts its calls from 0, synchronous or asynchronous. */
const kinds = [
  {
    kind: 'memoize',
    counter: (): Fn<unknown> =>
      (
        (i = 0) =>
        () =>
          i++
      )(),
  },
  {
    kind: 'p-memoize',
    counter: (): Fn<unknown> =>
      (
        (i = 0) =>
        async () =>
          i++
      )(),
  },
];

describe.each(kinds)('$kind', ({ counter }) => {
  test('the first argument is the key, by identity', async () => {
    const fixture = counter();
    const fn = theirs(fixture);
    const calls: [unknown[], number][] = [
      [[], 0],
      [[], 0],
      [[undefined], 0],
      [['foo'], 1],
      [['foo'], 1],
      [['foo', 'bar'], 1],
      [[1], 2],
      [[1], 2],
      [[null], 3],
      [[null], 3],
      [[fixture], 4],
      [[fixture], 4],
      [[true], 5],
      [[true], 5],
      [[() => 1], 6],
      [[() => 1], 7],
    ];
    for (const [args, expected] of calls) expect(await fn(...args)).toBe(expected);
  });

  test('cacheKey', async () => {
    const fn = theirs(counter(), { cacheKey: ([first]) => String(first) });
    const results = [await fn(1), await fn('1'), await fn('2'), await fn(2)];
    expect(results).toEqual([0, 0, 1, 1]);
  });

  test('structural keys of several arguments', async () => {
    const fn = theirs(counter(), { cacheKey: (args) => JSON.stringify(args) });
    const lists = [
      [],
      [{ foo: true }, { bar: false }],
      [{ foo: true }, { bar: false }, { baz: 1 }],
    ];
    for (const [i, args] of lists.entries()) {
      expect([await fn(...args), await fn(...structuredClone(args))]).toEqual([i, i]);
    }
  });

  test('regular expressions, by their source', async () => {
    const fn = theirs(counter(), { cacheKey: ([pattern]) => String(pattern) });
    expect([await fn(/a/), await fn(/a/), await fn(/b/), await fn(/b/)]).toEqual([0, 0, 1, 1]);
  });

  test('symbols', async () => {
    const fn = theirs(counter());
    const [one, two] = [Symbol('a'), Symbol('a')];
    expect([await fn(one), await fn(one), await fn(two), await fn(two)]).toEqual([0, 0, 1, 1]);
  });

  test('objects are held weakly, as with a WeakMap for the option `cache`', async () => {
    const fn = theirs(counter());
    const [foo, bar] = [{}, {}];
    expect([await fn(foo), await fn(foo), await fn(bar), await fn(bar)]).toEqual([0, 0, 1, 1]);
  });

  test('maxAge', async () => {
    const clock = new FakeClock();
    const fn = theirs(counter(), { maxAge: 100 }, clock);
    expect([await fn(1), await fn(1)]).toEqual([0, 0]);
    clock.jump(50);
    expect(await fn(1)).toBe(0);
    clock.jump(200);
    expect(fn.cacheInfo().size).toBe(1);
    expect([await fn(1), await fn(1)]).toEqual([1, 1]);
    expect(fn.cacheInfo()).toMatchObject({ size: 1, expirations: 1 });
  });

  test('maxAge as a function of the arguments; 0 keeps no result', async () => {
    const clock = new FakeClock();
    const fn = theirs(counter(), { maxAge: (first) => Number(first) }, clock);
    expect([await fn(0), await fn(0), await fn(100), await fn(100)]).toEqual([0, 1, 2, 2]);
    clock.jump(100);
    expect(await fn(100)).toBe(3);
    const ever = theirs(counter(), { maxAge: Number.POSITIVE_INFINITY }, clock);
    await ever(1);
    clock.jump(2 ** 40);
    expect(await ever(1)).toBe(0);
  });

  test('an expired entry is gone even if the function then fails', async () => {
    const clock = new FakeClock();
    const fixture = counter();
    let broken = false;
    const fn = theirs(
      (...args) => {
        if (broken) throw new Error('failure');
        return fixture(...args);
      },
      { maxAge: 100 },
      clock,
    );
    await fn(1);
    clock.jump(250);
    broken = true;
    expect(() => fn(1)).toThrow('failure');
    expect(fn.cacheInfo().size).toBe(0);
  });

  test('keeps the name and the properties of the function', () => {
    expect(theirs(function foo() {}).name).toBe('foo');
    expect(memoize(Object.assign(() => 1, { extra: 7 })).extra).toBe(7);
  });

  test('clear', async () => {
    const fn = theirs(counter());
    expect([await fn(), await fn()]).toEqual([0, 0]);
    fn.clear();
    expect([await fn(), await fn()]).toEqual([1, 1]);
  });

  test('isCached', async () => {
    const clock = new FakeClock();
    const fn = theirs(counter(), { maxAge: 100 }, clock);
    expect(fn.has('k')).toBe(false);
    await fn('k');
    expect([fn.has('k'), fn.has('other')]).toEqual([true, false]);
    clock.jump(100);
    expect(fn.has('k')).toBe(false);
  });

  test('on a prototype', async () => {
    class Unicorn {
      index = 0;
      foo(): unknown {
        return this.index++;
      }
    }
    Unicorn.prototype.foo = memoize(Unicorn.prototype.foo);
    const unicorn = new Unicorn();
    expect([unicorn.foo(), unicorn.foo(), unicorn.foo()]).toEqual([0, 0, 0]);
    expect(new Unicorn().foo()).toBe(0);
  });

  test('as a decorator', async () => {
    let value = 1;
    class Counters {
      @memoized()
      async counter(): Promise<number> {
        return value++;
      }
      @memoized()
      async other(): Promise<number> {
        return 101;
      }
    }
    const [alpha, beta] = [new Counters(), new Counters()];
    expect([await alpha.counter(), await alpha.counter(), await alpha.other()]).toEqual([
      1, 1, 101,
    ]);
    expect(await beta.counter()).toBe(2);
    cacheOf(alpha, 'counter').clear();
    expect([await alpha.counter(), await beta.counter()]).toEqual([3, 2]);
  });
});

describe('p-memoize alone', () => {
  test('shouldCache gets the value and the arguments, and is not called for failures', async () => {
    const asked: unknown[] = [];
    let i = 0;
    const fn = theirs(
      async (first) => {
        if (first === 'bad') throw new Error('bad');
        return i++;
      },
      {
        shouldCache: (value, { argumentsList }) => {
          asked.push([value, argumentsList]);
          return (value as number) > 0;
        },
      },
    );
    expect([await fn('a'), await fn('a'), await fn('a')]).toEqual([0, 1, 1]);
    await expect(fn('bad')).rejects.toThrow('bad');
    expect(asked).toEqual([
      [0, ['a']],
      [1, ['a']],
    ]);
  });

  test('concurrent callers share one call, whether its result is kept or not', async () => {
    let runs = 0;
    const fn = theirs(async () => ++runs, { shouldCache: () => false });
    expect(await Promise.all([fn('a'), fn('a'), fn('b')])).toEqual([1, 1, 2]);
    expect(await fn('a')).toBe(3);
  });

  test('a rejection is shared and not kept', async () => {
    let runs = 0;
    const fn = theirs(async () => {
      if (runs++ === 0) throw new Error('first');
      return runs;
    });
    const both = await Promise.allSettled([fn(), fn()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([await fn(), runs]).toEqual([2, 2]);
  });

  test('`undefined` is a result', async () => {
    let runs = 0;
    const fn = theirs(async () => {
      runs++;
    });
    await fn('k');
    await fn('k');
    expect(runs).toBe(1);
  });
});
