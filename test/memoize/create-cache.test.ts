import { expect, expectTypeOf, test } from 'vitest';
import { createCache } from '../../src/memoize/index.js';
import { settle } from '../kit/settle.js';

test('a value is loaded once for many callers, by the loader of the first', async () => {
  const cache = createCache<string, number>({ max: 10 });
  let loads = 0;
  const load = async () => ++loads;
  expect(await Promise.all([cache.getOrLoad('a', load), cache.getOrLoad('a', load)])).toEqual([
    1, 1,
  ]);
  expect([await cache.getOrLoad('a', load), loads]).toEqual([1, 1]);
  expectTypeOf(cache.getOrLoad('a', load)).toEqualTypeOf<Promise<number>>();
  expect(cache.cacheInfo()).toMatchObject({ hits: 2, joins: 1, misses: 1, size: 1 });
});

test('a loader that throws rejects, and its failure is not kept', async () => {
  const cache = createCache<string, number>();
  const fail = (): number => {
    throw new Error('down');
  };
  await expect(cache.getOrLoad('a', fail)).rejects.toThrow('down');
  expect(await cache.getOrLoad('a', () => 5)).toBe(5);
});

test('a loader gets the signal and the stale value, and sets the ttl and the tags', async () => {
  let now = 0;
  const cache = createCache<string, string>({
    staleWhileRevalidate: 100,
    clock: { now: () => now },
  });
  const stale: unknown[] = [];
  const load = (value: string) =>
    cache.getOrLoad('a', (context) => {
      context.ttl = 10;
      context.tags = ['t'];
      stale.push(context.stale, context.signal.aborted);
      return value;
    });
  expect(await load('one')).toBe('one');
  now = 20;
  expect(await load('two')).toBe('one');
  await settle();
  expect(await load('three')).toBe('two');
  expect(stale).toEqual([undefined, false, 'one', false]);
  expect(cache.invalidateTags('t')).toBe(1);
});

test('set, peek, has, delete, deleteMany, keys and clear', async () => {
  const cache = createCache<{ id: number } | string, number>({ max: 10 });
  const object = { id: 1 };
  cache.set('a', 1);
  cache.set(object, 2);
  expect(await Promise.all([cache.peek('a'), cache.peek(object), cache.peek('b')])).toEqual([
    1,
    2,
    undefined,
  ]);
  expect([...cache.keys()]).toEqual(['a', object]);
  expect([cache.has('a'), cache.delete('a'), cache.has('a')]).toEqual([true, true, false]);
  cache.set('b', 3);
  expect(cache.deleteMany(['b', 'c', object])).toBe(2);
  cache.set('d', 4);
  cache.clear();
  expect(cache.cacheInfo().size).toBe(0);
});

test('a caller can leave, ask for a new load, and listen', async () => {
  const cache = createCache<string, number>();
  const seen: string[] = [];
  cache.on('miss', () => seen.push('miss')).on('hit', () => seen.push('hit'));
  let loads = 0;
  const load = async () => ++loads;
  await cache.getOrLoad('a', load);
  expect(await cache.getOrLoad('a', load, { forceRefresh: true })).toBe(2);
  await cache.getOrLoad('a', load);
  const caller = new AbortController();
  const left = cache.getOrLoad('b', () => new Promise(() => {}), { signal: caller.signal });
  caller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  expect(seen).toEqual(['miss', 'miss', 'hit', 'miss']);
});

test('callbacks get the key, and an unknown option is refused', async () => {
  const keys: unknown[] = [];
  const cache = createCache<string, number>({
    cacheIf: (value, key) => {
      keys.push(key, value);
      return value > 1;
    },
  });
  await cache.getOrLoad('a', () => 1);
  await cache.getOrLoad('b', () => 2);
  expect([keys, cache.has('a'), cache.has('b')]).toEqual([['a', 1, 'b', 2], false, true]);
  expect(() => createCache({ size: 5 } as never)).toThrow(/unknown option `size`/);
  expect(() => createCache({ key: () => 1 } as never)).toThrow(/`key`/);
});
