import Keyv from 'keyv';
import { expect, expectTypeOf, test } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { createCache } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
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

test('get reads a value without a load, and counts as a use and as a hit or a miss', async () => {
  const clock = new FakeClock();
  const cache = createCache<string, number>({
    max: 2,
    ttl: 100,
    staleWhileRevalidate: 50,
    idleTtl: 120,
    negativeTtl: 100,
    clock,
  });
  const events: string[] = [];
  for (const event of ['hit', 'miss', 'stale'] as const) {
    cache.on(event, ({ args }) => events.push(`${event} ${args}`));
  }
  expect(cache.get('a')).toBe(undefined);
  const load = cache.getOrLoad('a', async () => 1);
  expect(cache.get('a'), 'it joins no load').toBe(undefined);
  await load;
  cache.set('b', 2);
  expect(await cache.get('a')).toBe(1);
  cache.set('c', 3);
  expect([cache.has('a'), cache.has('b')], 'a was used later').toEqual([true, false]);
  await clock.advance(90);
  expect(await cache.get('a')).toBe(1);
  await clock.advance(50);
  expect([await cache.get('a'), cache.get('c')], 'c was idle').toEqual([1, undefined]);
  await clock.advance(10);
  expect(cache.get('a')).toBe(undefined);
  await cache.getOrLoad('d', () => Promise.reject(new Error('down'))).catch(() => {});
  expect(cache.get('d'), 'a remembered failure is no value').toBe(undefined);
  expect(cache.cacheInfo()).toMatchObject({ hits: 3, staleHits: 1, misses: 7, loads: 1 });
  expect(events.filter((event) => !event.startsWith('miss'))).toEqual([
    'hit a',
    'hit a',
    'stale a',
  ]);
});

test('a listener gets the key of a call, and not its load', async () => {
  const cache = createCache<string, number>();
  const seen: unknown[] = [];
  for (const event of ['miss', 'hit'] as const) {
    cache.on(event, ({ args }) => seen.push([event, ...args]));
  }
  await cache.getOrLoad('a', async () => 1);
  await cache.getOrLoad('a', async () => 1);
  await cache.get('a');
  expect(seen).toEqual([
    ['miss', 'a'],
    ['hit', 'a'],
    ['hit', 'a'],
  ]);
});

test('a shared cache needs a name: two without one would give each other their values', () => {
  const shared = sharedCache({ store: new Keyv() });
  expect(() => createCache({ shared })).toThrow('a cache with `shared` needs a `name`');
  expect(createCache({ shared, name: 'pages' }).cacheInfo().size).toBe(0);
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
    cacheIf: (value, ...args) => {
      keys.push(...args, value); // Without the load, which a log must not keep.
      return value > 1;
    },
  });
  await cache.getOrLoad('a', () => 1);
  await cache.getOrLoad('b', () => 2);
  expect([keys, cache.has('a'), cache.has('b')]).toEqual([['a', 1, 'b', 2], false, true]);
  expect(() => createCache({ size: 5 } as never)).toThrow(/unknown option `size`/);
  expect(() => createCache({ key: () => 1 } as never)).toThrow(/`key`/);
});

test('inherited options count as own ones do, and an object that is no options object is refused', () => {
  class Defaults {
    get max(): number {
      return 2;
    }
  }
  expect(createCache(new Defaults()).cacheInfo().max).toBe(2);
  const frozen = Object.freeze(Object.assign(Object.create(null) as object, { max: 3 }));
  expect(createCache(frozen).cacheInfo().max).toBe(3);
  for (const options of [null, [], new AbortController().signal, Object.create({ load() {} })]) {
    expect(() => createCache(options as never)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
  }
});

test('a load that is no function, malformed options, and keys that are no array, are refused by name', async () => {
  const cache = createCache<string, number>({ dispose: disposal() });
  await expect(cache.getOrLoad('a', 5 as never)).rejects.toThrow('getOrLoad: `load`');
  await expect(cache.getOrLoad('a', () => 1, { signal: 5 } as never)).rejects.toThrow('`signal`');
  await expect(cache.lease('a', undefined as never)).rejects.toThrow('lease: `load`');
  expect(() => cache.deleteMany(new Set(['a']) as never)).toThrow('deleteMany: `keys`');
  expect(cache.cacheInfo()).toMatchObject({ misses: 0, inFlight: 0 });
});

test('a disposed cache calls each load, and keeps nothing', async () => {
  const cache = createCache<string, number>({ dispose: disposal() });
  cache[Symbol.dispose]();
  let loads = 0;
  expect(await cache.getOrLoad('a', async ({ signal }) => (signal.aborted ? 0 : ++loads))).toBe(1);
  expect((await cache.lease('a', () => ++loads)).value).toBe(2);
  const caller = new AbortController();
  const aborted: unknown[] = [];
  const wait = cache.getOrLoad(
    'a',
    ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          aborted.push(signal.reason);
          reject(signal.reason);
        }),
      ),
    { signal: caller.signal },
  );
  caller.abort('left');
  await expect(wait).rejects.toBe('left');
  expect([aborted, cache.cacheInfo().size]).toEqual([['left'], 0]);
});

test('a lease keeps a value from being disposed of, and entries gives the values', async () => {
  const log: string[] = [];
  const cache = createCache<string, { key: string }>({
    dispose: disposal(({ key }) => void log.push(key)),
  });
  const lease = await cache.lease('a', () => ({ key: 'a' }));
  const entries = [...cache.entries()];
  expect([entries.map(([key]) => key), await entries[0]?.[1]]).toEqual([['a'], lease.value]);
  cache.delete('a');
  expect(log).toEqual([]);
  lease.release();
  expect(log).toEqual(['a']);
});
