/** Listeners and callbacks that call the cache that calls them. */
import { describe, expect, test } from 'vitest';
import { type CacheEventMap, memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { POLICIES } from '../kit/policies.js';
import { settle } from '../kit/settle.js';

describe.each(POLICIES)('a listener of evictions, $what', ({ options }) => {
  function weighed() {
    return memoize((n: number) => n, { maxWeight: 5, weigh: (n) => n % 3, ...options });
  }
  function weightOf(fn: ReturnType<typeof weighed>): number {
    return [...fn.keys()].reduce((sum, [n]) => sum + (Number(n) % 3), 0);
  }

  test('may delete and set: the weight stays that of the entries: isaacs/ttlcache#16', () => {
    const fn = weighed();
    let calls = 0;
    fn.on('evict', ({ args = [] }) => {
      const [n] = args as [number];
      if (++calls > 200) return;
      fn.delete(n + 1);
      fn.set([n + 2], n + 2);
    });
    for (let n = 0; n < 40; n++) {
      fn(n);
      expect(fn.cacheInfo().weight).toBe(weightOf(fn));
      expect(fn.cacheInfo().weight).toBeLessThanOrEqual(5);
    }
    expect(calls).toBeGreaterThan(20);
  });

  test('may clear: nothing of before stays, and nothing is counted twice', () => {
    const fn = weighed();
    fn.on('evict', () => fn.clear());
    for (let n = 0; n < 40; n++) fn(n);
    expect(fn.cacheInfo()).toMatchObject({ size: [...fn.keys()].length, weight: weightOf(fn) });
  });

  test('may load what was evicted: moka-rs/moka#298, isaacs/node-lru-cache#101', () => {
    const fn = memoize((n: number) => n, { max: 3, ...options });
    let calls = 0;
    fn.on('evict', ({ args = [] }) => {
      if (++calls <= 20) fn(args[0] as number);
    });
    for (let n = 0; n < 10; n++) expect(fn(n)).toBe(n);
    expect(fn.cacheInfo().size).toBe(3);
    expect([...fn.keys()].map(([n]) => [n, fn.peek(Number(n))])).toEqual(
      [...fn.keys()].map(([n]) => [n, n]),
    );
  });

  test('sees the new entry, and can delete it: opensearch-project/OpenSearch#22545', () => {
    const fn = memoize((n: number) => n, { max: 1, ...options });
    const seen: unknown[] = [];
    fn(1);
    fn.on('evict', ({ args }) => seen.push(args, fn.has(1), fn.has(2), fn.delete(2)));
    fn(2);
    expect(seen).toEqual([[1], false, true, true]);
    expect(fn.cacheInfo().size).toBe(0);
  });
});

test('a listener that clears the cache when an entry expires clears the new entry too', () => {
  const clock = new FakeClock();
  const fn = memoize((n: number) => n, { ttl: 10, clock });
  fn.on('evict', () => fn.clear());
  fn(1);
  clock.jump(20);
  fn(2);
  expect([fn.has(2), fn.cacheInfo().size]).toEqual([false, 0]);
});

test('a listener may clear at a miss: the result is stored where calls find it', () => {
  const fn = memoize((a: number, b: number) => a + b);
  const clear = (): void => {
    fn.off('miss', clear).clear();
  };
  fn.on('miss', clear);
  fn(1, 2);
  expect([fn.has(1, 2), fn.cacheInfo().size, fn.cacheInfo().misses]).toEqual([true, 1, 1]);
  fn(1, 2);
  expect(fn.cacheInfo()).toMatchObject({ hits: 1, misses: 1 });
});

describe.each([
  { what: 'a synchronous function', fn: (n: number): unknown => n },
  { what: 'an asynchronous function', fn: (n: number): unknown => Promise.resolve(n) },
])(
  'foreign code that disposes of the cache within a call leaves nothing: $what',
  ({ fn: load }) => {
    const calls = {
      call: (fn: Disposing) => fn(1),
      'call with a signal': (fn: Disposing) =>
        fn.call([1], { signal: new AbortController().signal }),
      'forced call': (fn: Disposing) => fn.refresh(1),
    };
    type Disposing = ReturnType<typeof memoize<typeof load>>;

    test.each(Object.entries(calls))('%s: dgraph-io/ristretto#286', async (_, call) => {
      for (const where of ['miss', 'load', 'key', 'cacheIf', 'ttl', 'tags', 'fn'] as const) {
        const answers = { key: 'k', cacheIf: true, ttl: 100, tags: ['t'] };
        const dispose = (): void => fn[Symbol.dispose]();
        const fn = memoize(
          (n: number) => {
            if (where === 'fn') dispose();
            return load(n);
          },
          where in answers
            ? {
                [where]: () => {
                  dispose();
                  return answers[where as keyof typeof answers];
                },
              }
            : {},
        );
        if (where === 'miss' || where === 'load') fn.on(where, dispose);
        expect([await call(fn), where]).toEqual([1, where]);
        expect(fn.cacheInfo(), where).toMatchObject({
          size: 0,
          inFlight: 0,
          misses: where === 'key' ? 0 : 1,
        });
      }
    });
  },
);

describe.each(['cacheIf', 'ttl', 'tags', 'weigh'] as const)(
  '`%s` is asked about a value that is set',
  (option) => {
    const answers = { cacheIf: true, ttl: 100, tags: ['t'], weigh: 1 };
    const asking = (callback: (fn: Asking) => void) => {
      const fn: Asking = memoize((a: string, b: string) => a + b, {
        ...(option === 'weigh' ? { maxWeight: 10 } : {}),
        [option]: () => {
          callback(fn);
          return answers[option];
        },
      });
      fn.set(['a', 'b'], 'set');
      return { fn, size: fn.cacheInfo().size, has: fn.has('a', 'b') };
    };
    type Asking = ReturnType<typeof memoize<(a: string, b: string) => string>>;

    test('and clears the cache: calls find the value: ben-manes/caffeine#1896', () => {
      const { fn, ...after } = asking((fn) => fn.clear());
      expect(after).toEqual({ size: 1, has: true });
      expect([fn.delete('a', 'b'), fn.cacheInfo().size]).toEqual([true, 0]);
    });

    test('and disposes of the cache: nothing is stored: dgraph-io/ristretto#286', () => {
      const { fn, ...after } = asking((fn) => fn[Symbol.dispose]());
      expect(after).toEqual({ size: 0, has: false });
      expect(fn('a', 'b')).toBe('ab');
    });
  },
);

test.each([
  { event: 'stale', options: { ttl: 10, staleWhileRevalidate: 100 } },
  { event: 'hit', options: { refreshAfter: 10 } },
] as const)('a listener of $event may delete the key that is due', async ({ event, options }) => {
  const clock = new FakeClock();
  const fn = memoize(async (a: number, b: number) => a + b, { ...options, clock });
  await fn(1, 2);
  await fn(1, 3);
  clock.jump(20);
  const forget = ({ args }: CacheEventMap['hit']): void => {
    fn.off(event, forget).delete(...(args as [number, number]));
  };
  fn.on(event, forget);
  expect(await fn(1, 2)).toBe(3);
  await settle();
  expect([fn.has(1, 2), [...fn.keys()], fn.cacheInfo().size]).toEqual([false, [[1, 3]], 1]);
  await fn(1, 2);
  expect([fn.delete(1, 3), [...fn.keys()]]).toEqual([true, [[1, 2]]]);
});

describe.each([
  { what: 'a synchronous function', async: false },
  { what: 'an asynchronous function', async: true },
])('an invalidation by foreign code at the end of a load: $what', ({ async: isAsync }) => {
  const load = (n: number): unknown => (isAsync ? Promise.resolve(n) : n);

  test('a listener of `load` deletes the key: the result is not stored', async () => {
    const fn = memoize(load);
    fn.on('load', () => fn.delete(1));
    expect([await fn(1), fn.has(1)]).toEqual([1, false]);
  });

  test.each(['cacheIf', 'ttl', 'tags', 'weigh'] as const)(
    '`%s` deletes the key, clears, or invalidates a tag: the result is not stored',
    async (option) => {
      const answers = { cacheIf: true, ttl: 100, tags: ['t'], weigh: 1 };
      for (const forget of ['delete', 'clear', 'invalidateTags'] as const) {
        const fn = memoize(load, {
          tags: () => ['t'],
          ...(option === 'weigh' ? { maxWeight: 10 } : {}),
          [option]: () => {
            fn[forget](forget === 'delete' ? (1 as never) : ('t' as never));
            return answers[option];
          },
        });
        expect([await fn(1), fn.has(1)]).toEqual([1, false]);
      }
    },
  );

  test('a listener of `error` deletes the key: the failure is not remembered', async () => {
    let runs = 0;
    const fn = memoize(
      (_: number): unknown => {
        const error = new Error(`run ${++runs}`);
        if (isAsync) return Promise.reject(error);
        throw error;
      },
      { negativeTtl: 1_000 },
    );
    const forget = (): void => void fn.delete(1);
    fn.on('error', forget);
    await expect((async () => fn(1))()).rejects.toThrow('run 1');
    fn.off('error', forget);
    await expect((async () => fn(1))()).rejects.toThrow('run 2');
    await expect((async () => fn(1))()).rejects.toThrow('run 2');
  });
});

describe('an async function that calls itself with its own arguments before its first `await`', () => {
  const again = (attempts: number) => {
    let attempt = 0;
    const fetchOnce = (id: number): Promise<number> =>
      ++attempt < attempts ? fetch(id) : Promise.reject(new Error(`attempt ${attempt}`));
    const fetch: (id: number) => Promise<number> = memoize(async (id: number) => fetchOnce(id));
    return fetch;
  };

  test('rejects with the error of its last run, and not never', async () => {
    const fetch = again(3);
    await expect(fetch(7)).rejects.toThrow('attempt 3');
    await expect(fetch(7)).rejects.toThrow('attempt 4');
  });

  test('or through another function: its callers are answered, and nothing stays in flight', async () => {
    let rounds = 0;
    const ping = memoize(async (id: number): Promise<number> => pong(id));
    const pong = memoize(async (id: number): Promise<number> => {
      if (++rounds > 2) throw new Error('enough');
      return ping(id);
    });
    await expect(ping(7)).rejects.toThrow('enough');
    expect([ping.cacheInfo().inFlight, pong.cacheInfo().inFlight]).toEqual([0, 0]);
  });
});
