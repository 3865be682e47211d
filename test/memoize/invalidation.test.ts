import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

const stores = [
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 10 } },
];

describe.each(stores)('invalidation, $what', ({ options }) => {
  const ways = [
    { way: 'clear', forget: (fn: Loader) => fn.clear() },
    { way: 'delete', forget: (fn: Loader) => expect(fn.delete('k')).toBe(true) },
  ];
  type Loader = ReturnType<typeof loader>;
  function loader(gates: Gates<string>) {
    return memoize((_: string) => gates.next(), options);
  }

  test.each(ways)(
    '$way during a load: the old value is never stored or served again: google/guava#1881, kibertoad/layered-loader#414, logto-io/logto#9428',
    async ({ forget }) => {
      const gates = new Gates<string>();
      const fn = loader(gates);
      const old = fn('k');
      forget(fn);
      const fresh = fn('k');
      expect(fresh).not.toBe(old);
      gates.at(0).open('old');
      expect(await old).toBe('old');
      expect(fn('k')).toBe(fresh);
      gates.at(1).open('new');
      expect(await fresh).toBe('new');
      await settle();
      expect(await fn('k')).toBe('new');
      expect(gates.arrived).toBe(2);
    },
  );

  test.each(ways)('$way during a load that ends after the newer one', async ({ forget }) => {
    const gates = new Gates<string>();
    const fn = loader(gates);
    const old = fn('k');
    forget(fn);
    const fresh = fn('k');
    gates.at(1).open('new');
    await fresh;
    gates.at(0).open('old');
    expect(await old).toBe('old');
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo().size).toBe(1);
  });

  test.each(ways)('$way during a load that fails', async ({ forget }) => {
    const gates = new Gates<string>();
    const fn = loader(gates);
    const old = fn('k');
    forget(fn);
    const fresh = fn('k');
    gates.at(0).fail(new Error('old'));
    await expect(old).rejects.toThrow('old');
    expect(fn('k')).toBe(fresh);
    gates.at(1).open('new');
    expect(await fresh).toBe('new');
    expect(fn.cacheInfo()).toMatchObject({ size: 1, inFlight: 0 });
  });

  test.each(ways)(
    '$way during a load without later callers: no result is stored',
    async ({ forget }) => {
      const gates = new Gates<string>();
      const fn = loader(gates);
      const old = fn('k');
      forget(fn);
      gates.at(0).open('old');
      await old;
      expect(fn.has('k')).toBe(false);
      expect(fn.cacheInfo().size).toBe(0);
    },
  );

  test('a synchronous load that forgets its own key is not stored', () => {
    let runs = 0;
    const cleared = memoize((_: string): number => {
      if (++runs < 3) cleared.clear();
      return runs;
    }, options);
    expect([cleared('k'), cleared('k'), cleared('k'), cleared('k')]).toEqual([1, 2, 3, 3]);
    const deleted = memoize((a: string, _: string): string => {
      deleted.delete('other', 'key');
      expect(deleted.delete(a, 'x')).toBe(true);
      expect(deleted.delete(a, 'x')).toBe(false);
      return a;
    }, options);
    deleted('k', 'x');
    expect(deleted.has('k', 'x')).toBe(false);
    expect(deleted.cacheInfo()).toMatchObject({ size: 0, inFlight: 0 });
  });

  test('a nested load may forget an outer one, at any depth', () => {
    const forgotten: number[] = [];
    const fn = memoize((n: number): string => {
      if (n === 0) {
        for (const outer of forgotten) expect(fn.delete(outer)).toBe(true);
        return '0';
      }
      return `${n} ${fn(n - 1)}`;
    }, options);
    fn(1);
    fn.delete(0);
    fn.delete(1);
    forgotten.push(3, 1);
    expect(fn(4)).toBe('4 3 2 1 0');
    expect([0, 1, 2, 3, 4].map((n) => fn.has(n))).toEqual([true, false, true, false, true]);
    expect(fn(1)).toBe('1 0');
    expect(fn.peek(1)).toBe('1 0');
  });

  test('a load of one argument may forget the outer load of two arguments', () => {
    const fn = memoize((n: number, isOuter?: boolean): string => {
      if (isOuter) return fn(n);
      fn.delete(n, true);
      return `${n}`;
    }, options);
    fn(1);
    expect(fn(2, true)).toBe('2');
    expect([fn.has(2), fn.has(2, true)]).toEqual([true, false]);
  });

  test('a function may return a value for one call and a promise for another', async () => {
    const fn = memoize((key: string) => (key === 'now' ? key : Promise.resolve(key)), options);
    expect(fn('now')).toBe('now');
    const later = fn('later');
    expect(fn('later')).toBe(later);
    expect(await later).toBe('later');
    expect([fn.peek('now'), fn.peek('later')]).toEqual(['now', later]);
  });

  test('an async function that clears the cache before its first await is not stored', async () => {
    const gates = new Gates<number>();
    const fn = memoize((_: string): Promise<number> => {
      fn.clear();
      return gates.next();
    }, options);
    const first = fn('k');
    expect(fn.cacheInfo().inFlight).toBe(0);
    gates.at(0).open(1);
    await first;
    expect(fn.has('k')).toBe(false);
  });

  test('`delete` is for one list of arguments, and returns whether there was a result', () => {
    const fn = memoize((a: number, b?: number) => [a, b], options);
    fn(1);
    fn(1, 2);
    fn(0);
    expect(fn.delete(3)).toBe(false);
    expect(fn.delete(0)).toBe(true);
    expect(fn.delete(0)).toBe(false);
    expect(fn.delete(1)).toBe(true);
    expect([fn.has(1), fn.has(1, 2)]).toEqual([false, true]);
    expect(fn.cacheInfo().size).toBe(1);
  });

  test('`clear` forgets every entry and keeps the counters', () => {
    const fn = memoize((a: unknown, b?: unknown) => [a, b], options);
    for (const args of [[1], [1, 2], [{}], [{}, 1]] as [unknown, unknown?][]) fn(...args);
    fn(1);
    fn.clear();
    expect(fn.cacheInfo()).toMatchObject({ hits: 1, misses: 4, size: 0, evictions: 0 });
    fn(1, 2);
    expect(fn.cacheInfo().misses).toBe(5);
  });

  test('`set` stores, replaces, and takes precedence over a load in flight', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), options);
    const old = fn('k');
    const given = Promise.resolve('given');
    fn.set(['k'], given);
    expect(await fn('k')).toBe('given');
    gates.at(0).open('loaded');
    expect(await old).toBe('loaded');
    expect(await fn('k')).toBe('given');
    fn.set(['k'], Promise.resolve('other'));
    expect(await fn('k')).toBe('other');
    expect(gates.arrived).toBe(1);
    const sync = memoize((a: number, b: number) => a + b, options);
    sync.set([1, 2], 99);
    expect(sync(1, 2)).toBe(99);
    expect(sync.cacheInfo()).toMatchObject({ hits: 1, misses: 0, size: 1 });
  });

  test.each([0, 60_000])(
    '`set` with a promise that rejects stores nothing and reports nothing, negativeTtl: %i',
    async (negativeTtl) => {
      const fn = memoize(async (_: string) => 'loaded', { ...options, negativeTtl });
      const given = Promise.reject(new Error('bad'));
      given.catch(() => {});
      fn.set(['k'], given);
      await settle();
      expect(fn.cacheInfo()).toMatchObject({ size: 0, inFlight: 0 });
      expect(await fn('k')).toBe('loaded');
    },
  );

  test('`peek` and `has` count neither as hits nor as misses', () => {
    const fn = memoize((id: number) => `${id}`, options);
    expect([fn.peek(1), fn.has(1)]).toEqual([undefined, false]);
    fn(1);
    expect([fn.peek(1), fn.has(1)]).toEqual(['1', true]);
    expect(fn.cacheInfo()).toMatchObject({ hits: 0, misses: 1 });
  });

  test('a disposed cache forgets all, stores nothing more, and calls the function each time', async () => {
    const gates = new Gates<string>();
    let runs = 0;
    const fn = memoize((_: string) => {
      runs++;
      return gates.next();
    }, options);
    const before = fn('k');
    fn[Symbol.dispose]();
    gates.at(0).open('before');
    gates.at(1).open('after');
    gates.at(2).open('again');
    expect(await before).toBe('before');
    expect([await fn('k'), await fn('k')]).toEqual(['after', 'again']);
    fn.set(['k'], Promise.resolve('set'));
    await settle();
    expect(fn.has('k')).toBe(false);
    expect(runs).toBe(3);
    fn[Symbol.dispose]();
    expect(fn.cacheInfo()).toMatchObject({ size: 0, inFlight: 0 });
  });
});

test.each([[Number.NaN], [-0], [1]])(
  'a synchronous load that deletes its own key %d is not stored: alexreardon/memoize-one#101',
  (key) => {
    const fn = memoize((n: number) => {
      expect(fn.delete(n === 0 ? 0 : n)).toBe(true);
      return 'outdated';
    });
    expect([fn(key), fn.has(key)]).toEqual(['outdated', false]);
  },
);

test('a synchronous load that has called the cache for another key can still be invalidated', () => {
  const runs: string[] = [];
  const fn = memoize((key: string): string => {
    runs.push(key);
    if (key === 'outer') {
      fn('inner');
      fn.delete('outer');
    }
    return key;
  });
  for (const key of ['outer', 'outer', 'inner']) fn(key);
  expect(runs).toEqual(['outer', 'inner', 'outer']);
});

test('no callback is asked about a result that was invalidated before it came', async () => {
  const gates = new Gates<string>();
  const asked: string[] = [];
  const fn = memoize((_: string) => gates.next(), {
    cacheIf: (value) => {
      asked.push(value);
      return true;
    },
  });
  const old = fn('k');
  fn.delete('k');
  const fresh = fn('k');
  gates.at(0).open('old');
  await old;
  gates.at(1).open('new');
  await fresh;
  expect(asked).toEqual(['new']);
});
