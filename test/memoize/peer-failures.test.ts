/** Failures that users of other caches have reported, as programs against this one. */
import Keyv from 'keyv';
import { describe, expect, test, vi } from 'vitest';
import { createCache, memoize } from '../../src/memoize/index.js';
import { type ClusterLock, type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { POLICIES } from '../kit/policies.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';

describe.each(POLICIES)('a bounded cache, $what', ({ options }) => {
  test('a list of keys that the reader changes ends, and names each key once: avoidwork/tiny-lru#487', () => {
    const cache = createCache<number, number>({ max: 100, ...options });
    const first = Array.from({ length: 20 }, (_, key) => key);
    for (const key of first) cache.set(key, key);
    const seen: number[] = [];
    for (const key of cache.keys()) {
      seen.push(key);
      cache.delete(key);
      if (key < 20) cache.set(key + 1_000, key);
    }
    expect(seen).toHaveLength(new Set(seen).size);
    expect(seen).toEqual(expect.arrayContaining(first));
  });

  test('a listener of `evict` may put the entry back: google/guava#891, hashicorp/golang-lru#230', () => {
    const cache = createCache<number, number>({ max: 2, ...options });
    let backs = 0;
    cache.on('evict', ({ args }) => {
      if (backs++ < 5_000) cache.set(Number(args?.[0]), 1);
      expect([...cache.keys()]).toHaveLength(cache.cacheInfo().size);
    });
    for (let key = 0; key < 5; key++) cache.set(key, key);
    expect(cache.cacheInfo().size).toBeLessThanOrEqual(2);
    expect(backs).toBeGreaterThan(1_000);
  });

  test('looking for absent keys evicts nothing: kibertoad/layered-loader#415', () => {
    const cache = createCache<number, number>({ max: 2, ...options });
    cache.set(1, 1);
    cache.set(2, 2);
    for (let key = 10; key < 100; key++) {
      expect([cache.get(key), cache.peek(key), cache.has(key)]).toEqual([
        undefined,
        undefined,
        false,
      ]);
    }
    expect([cache.has(1), cache.has(2)]).toEqual([true, true]);
  });
});

describe('a lifetime', () => {
  test('callers get the result of their load, though it has expired when they go on: jellydator/ttlcache#44', async () => {
    const fn = memoize(async (_: string) => 'loaded', { ttl: 0.000_001 });
    const results = await Promise.all(Array.from({ length: 200 }, () => fn('k')));
    expect(new Set(results)).toEqual(new Set(['loaded']));
  });

  test('a key that was deleted and filled again keeps its new lifetime: Suor/funcy#180, jellydator/ttlcache#123', () => {
    const clock = new FakeClock();
    const cache = createCache<number, string>({ ttl: 100, clock });
    cache.set(1, 'old');
    clock.jump(50);
    cache.delete(1);
    cache.set(1, 'new');
    clock.jump(60);
    for (let key = 10; key < 60; key++) cache.set(key, 'other');
    expect(cache.get(1)).toBe('new');
    clock.jump(40);
    expect(cache.get(1)).toBe(undefined);
  });

  test('a result that replaces an expired one has the whole lifetime: maypok86/otter#154, rails/rails#54229', async () => {
    const clock = new FakeClock();
    let loads = 0;
    const fn = memoize(async (_: string) => ++loads, {
      ttl: 100,
      staleWhileRevalidate: 1_000,
      clock,
    });
    await fn('k');
    clock.jump(150);
    expect(await fn('k')).toBe(1);
    await settle();
    clock.jump(99);
    expect(await fn('k')).toBe(2);
    await settle();
    expect(loads).toBe(2);
  });

  test('no value has a life of 0 or of a fraction in the store: rails/rails#19296', async () => {
    const [values, lives] = [new Map<string, unknown>(), [] as (number | undefined)[]];
    const store: SharedStore = {
      get: async (name) => values.get(name),
      async set(name, value, life) {
        lives.push(life);
        return values.set(name, value).size > 0;
      },
      delete: async (name) => values.delete(name),
    };
    for (const ttl of [0, 0.2, 1.5, Number.POSITIVE_INFINITY]) {
      const fn = memoize(async (_: string) => 'v', {
        name: `fn ${ttl}`,
        ttl,
        shared: sharedCache({ store }),
      });
      await fn('k');
      await fn.flush();
    }
    expect(lives.length).toBeGreaterThan(4);
    for (const life of lives)
      expect(life).toSatisfy((it: number) => Number.isInteger(it) && it > 0);
  });
});

describe('a load in the background', () => {
  test('replaces the result though it takes longer than `refreshAfter`: ben-manes/caffeine#175', async () => {
    const clock = new FakeClock();
    const gates = new Gates<number>();
    const fn = memoize((_: string) => gates.next(), { refreshAfter: 10, clock });
    gates.at(0).open(0);
    await fn('k');
    for (let load = 1; load < 5; load++) {
      clock.jump(50);
      await Promise.all([fn('k'), fn('k')]);
      expect(gates.arrived).toBe(load + 1);
      gates.at(load).open(load);
      await settle();
      expect(await fn('k')).toBe(load);
    }
  });

  test('that hangs keeps no expired result in use: ben-manes/caffeine#373', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { refreshAfter: 50, ttl: 100, clock });
    gates.at(0).open('old');
    await fn('k');
    clock.jump(60);
    await fn('k');
    clock.jump(60);
    expect(fn.has('k')).toBe(false);
    const joined = fn('k');
    gates.at(1).open('new');
    expect(await joined).toBe('new');
  });

  test('that was under way at a `clear` does not end refreshing: google/guava#2971', async () => {
    const clock = new FakeClock();
    const gates = new Gates<number>();
    const fn = memoize((_: string) => gates.next(), { refreshAfter: 10, clock });
    gates.at(0).open(0);
    await fn('k');
    clock.jump(10);
    await fn('k');
    fn.clear();
    gates.at(1).open(1);
    await settle();
    gates.at(2).open(2);
    expect(await fn('k')).toBe(2);
    clock.jump(10);
    await fn('k');
    expect(gates.arrived).toBe(4);
  });

  test.each([
    { what: 'stale', windows: { ttl: 100, staleWhileRevalidate: 50 } },
    { what: 'fresh', windows: { ttl: 500, refreshAfter: 100 } },
  ])('finds the $what result that it replaces: Julien-R44/bentocache#115', async ({ windows }) => {
    const clock = new FakeClock();
    const found: unknown[] = [];
    const fn = memoize(async (_: string) => '', {
      ...windows,
      clock,
      load: async ({ stale }) => {
        found.push(stale);
        return 'v';
      },
    });
    await fn('k');
    clock.jump(120);
    await fn('k');
    await settle();
    expect(found).toEqual([undefined, 'v']);
  });

  test('that waits for a lock keeps no caller from the stale result: Julien-R44/bentocache#103', async () => {
    const clock = new FakeClock();
    let isHeld = false;
    const lock: ClusterLock = {
      async acquire() {
        if (isHeld) await new Promise(() => {});
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const fn = memoize(async (_: string) => 'v', {
      name: 'value',
      ttl: 100,
      staleWhileRevalidate: 5_000,
      clock,
      shared: sharedCache({ store: new Keyv(), lock, clock }),
    });
    await fn('k');
    await fn.flush();
    isHeld = true;
    clock.jump(120);
    for (let call = 0; call < 3; call++) {
      expect(await fn('k')).toBe('v');
      await settle();
    }
  });

  test('takes a newer result that another process has stored, also in the same millisecond: ZiggyCreatures/FusionCache#651', async () => {
    using _time = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
    const clock = new FakeClock();
    const store = new Keyv();
    // Results of one millisecond have a random order: 20 keys show both.
    const ids = Array.from({ length: 20 }, (_, id) => id);
    const loads = new Map(ids.map((id) => [id, 0]));
    const process = () =>
      memoize(async (id: number) => loads.set(id, Number(loads.get(id)) + 1).get(id), {
        name: 'count',
        ttl: 100_000,
        refreshAfter: 1_000,
        clock,
        shared: sharedCache({ store, clock }),
      });
    const [one, other] = [process(), process()];
    const read = (fn: typeof one) => Promise.all(ids.map((id) => fn(id)));
    const all = (count: number) => ids.map(() => count);
    await read(one);
    await one.flush();
    expect(await read(other)).toEqual(all(1));
    clock.jump(1_500);
    for (const fn of [one, other]) {
      expect(await read(fn)).toEqual(all(1));
      await settle();
      await fn.flush();
      expect(await read(fn)).toEqual(all(2));
    }
    expect([...loads.values()]).toEqual(all(2));
  });

  test('whose result is not kept removes the present one in all processes: nitrojs/nitro#1992', async () => {
    const store = new Keyv();
    let page: string | null = 'old';
    const process = () =>
      memoize(async (_: string) => page, {
        name: 'page',
        cacheIf: (it) => it !== null,
        shared: sharedCache({ store }),
      });
    const [one, other] = [process(), process()];
    await one('k');
    await one.flush();
    page = null;
    await one.refresh('k');
    await one.flush();
    expect([await one('k'), await other('k')]).toEqual([null, null]);
  });
});

describe('tags', () => {
  test('a late reader sees the removal of one of several tags: dotnet/extensions#7771, #6833', async () => {
    const store = new Keyv();
    let loads = 0;
    const process = (tags: string[]) =>
      memoize(async (_: string) => ++loads, {
        name: 'count',
        tags: () => tags,
        shared: sharedCache({ store }),
      });
    const one = process(['a', 'b', 'c']);
    await one('k');
    await one.flush();
    const untagged = process([]);
    expect(await untagged('k')).toBe(1);
    expect(untagged.invalidateTags('b')).toBe(1);
    await untagged.flush();
    expect(await process([])('k')).toBe(2);
  });

  test('an invalidation forgets no result from after it, in no process: ZiggyCreatures/FusionCache#627', async () => {
    const [store, bus] = [new Keyv(), new MemoryBus()];
    let loads = 0;
    const process = () =>
      memoize(async (_: string) => ++loads, {
        name: 'count',
        tags: () => ['tag'],
        shared: sharedCache({ store, bus }),
      });
    const [one, other] = [process(), process()];
    await one('k');
    one.invalidateTags('tag');
    await one.flush();
    await one('k');
    await one.flush();
    for (const fn of [other, process(), one]) expect(await fn('k')).toBe(2);
  });

  test('a load that renews the stale result is given none after an invalidation: ZiggyCreatures/FusionCache#638', async () => {
    const clock = new FakeClock();
    const found: (string | undefined)[] = [];
    const fn = memoize(async (_: string) => '', {
      ttl: 10,
      staleIfError: 1_000,
      tags: () => ['tag'],
      clock,
      load: async ({ stale }) => {
        found.push(stale);
        return stale ?? `loaded ${found.length}`;
      },
    });
    await fn('k');
    clock.jump(20);
    expect(await fn('k')).toBe('loaded 1');
    fn.invalidateTags('tag');
    expect(await fn('k')).toBe('loaded 3');
    expect(found).toEqual([undefined, 'loaded 1', undefined]);
  });
});

describe('calls', () => {
  test('the option `key` is called once for each: Krukov/cashews#406', async () => {
    let keys = 0;
    const fn = memoize(async (id: number) => id, {
      name: 'id',
      key: (id) => {
        keys++;
        return id;
      },
      tags: (_, id) => [`tag ${id}`],
      ttl: 1_000,
      shared: sharedCache({ store: new Keyv() }),
    });
    await fn(1);
    await fn.flush();
    await fn(1);
    await fn.call([1], { signal: new AbortController().signal });
    await fn.refresh(1);
    expect(keys).toBe(4);
  });

  test('a caller that has joined an aborted and replaced load gets a result: TanStack/query#11061', async () => {
    const opened: (() => void)[] = [];
    const fn = memoize((_: string): Promise<number> => Promise.resolve(0), {
      load: ({ signal }) =>
        new Promise((resolve, reject) => {
          const load = opened.push(() => resolve(load));
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    });
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    const joined = fn('k');
    const forced = fn.refresh('k');
    await settle();
    caller.abort();
    await expect(leaving).rejects.toThrow();
    for (const open of opened) open();
    expect([await joined, await forced]).toEqual([1, 2]);
  });

  test('an absent value is not remembered for a moment: ben-manes/caffeine#254', async () => {
    const rows = new Map<string, number>();
    const cache = createCache<string, number | null>({ cacheIf: (row) => row !== null });
    const read = () => cache.getOrLoad('k', async () => rows.get('k') ?? null);
    const readOrCreate = async () => {
      const row = await read();
      if (row !== null) return row;
      rows.set('k', 7);
      return read();
    };
    const results = await Promise.all(Array.from({ length: 50 }, readOrCreate));
    expect(new Set(results)).toEqual(new Set([7]));
  });

  test('the locks of many keys differ: symfony/symfony#62328', async () => {
    const names = new Set<string>();
    const lock: ClusterLock = {
      async acquire(name) {
        names.add(name);
        return { fence: 1, lost: false, release: async () => {} };
      },
    };
    const fn = memoize(async (id: number) => id, {
      name: 'id',
      shared: sharedCache({ store: new Keyv(), lock }),
    });
    await fn.getMany(Array.from({ length: 1_000 }, (_, id): [number] => [id]));
    expect(names.size).toBe(1_000);
  });
});
