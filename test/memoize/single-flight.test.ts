import { describe, expect, test, vi } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { createCache, memoize } from '../../src/memoize/index.js';
import { Gates } from '../kit/gate.js';

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 10 } },
  { what: 'bounded to nothing', options: { max: 0 } },
  { what: 'timed', options: { ttl: 10, clock: { now: () => 0 } } },
])('one load for many callers, $what', ({ options }) => {
  test('a hundred callers cause one call: jaredwray/cacheable#417, #888', async () => {
    const gates = new Gates<{ id: number }>();
    const fn = memoize((_: number, __: string) => gates.next(), options);
    const calls = Array.from({ length: 100 }, () => fn(1, 'x'));
    expect(gates.arrived).toBe(1);
    expect(fn.cacheInfo()).toMatchObject({ hits: 0, misses: 1, joins: 99, inFlight: 1, size: 0 });
    gates.at(0).open({ id: 1 });
    const results = await Promise.all(calls);
    expect(new Set(results).size).toBe(1);
    expect(fn.cacheInfo().inFlight).toBe(0);
  });

  test('loads for different keys run concurrently', async () => {
    const gates = new Gates<number>();
    const fn = memoize((_: number) => gates.next(), options);
    const both = [fn(1), fn(2)];
    expect(fn.cacheInfo()).toMatchObject({ inFlight: 2, misses: 2, joins: 0 });
    gates.at(1).open(2);
    expect(await both[1]).toBe(2);
    gates.at(0).open(1);
    expect(await both[0]).toBe(1);
  });
});

describe('promises', () => {
  test('callers get one promise, during the load and afterwards', async () => {
    const fn = memoize(async (id: number) => ({ id }));
    const first = fn(1);
    expect(fn(1)).toBe(first);
    await first;
    expect(fn(1)).toBe(first);
    expect(fn.peek(1)).toBe(first);
  });

  test('a caller that continues after a load finds its result in the cache', async () => {
    const fn = memoize(async (id: number) => id);
    const seen = await fn(1).then(() => fn.cacheInfo());
    expect(seen).toMatchObject({ inFlight: 0, size: 1, loads: 1 });
  });

  test('a promise whose own `then` calls back at once is awaited as by `await`', async () => {
    const query = vi.fn((): Promise<string> => {
      const then = (onValue: (value: string) => void): void => onValue('early');
      return Object.assign(Promise.resolve('rows'), { then }) as Promise<string>;
    });
    for (const options of [{}, { max: 2 }, { ttl: 1_000 }, { dispose: disposal() }]) {
      const fn = memoize(query, options);
      expect([await fn(), await fn(), fn.cacheInfo().size]).toEqual(['rows', 'rows', 1]);
    }
    expect(query).toHaveBeenCalledTimes(4);
    expect(await createCache<string, string>().getOrLoad('tea', query)).toBe('rows');
  });

  test('a thenable becomes a promise', async () => {
    let runs = 0;
    const fn = memoize((id: number): PromiseLike<number> => {
      runs++;
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what this test is about.
      return { then: (fulfil) => Promise.resolve(id).then(fulfil) } as PromiseLike<number>;
    });
    const [a, b] = [fn(1), fn(1)];
    expect(a).toBe(b);
    expect(a).toBeInstanceOf(Promise);
    expect(await a).toBe(1);
    expect(await fn(1)).toBe(1);
    expect(runs).toBe(1);
  });

  test('an eviction does not lose a load in flight: isaacs/node-lru-cache#274, #320, #389, vltpkg/vltpkg#1781', async () => {
    const gates = new Gates<string>();
    const fn = memoize(
      (id: number): Promise<string> => (id === 0 ? gates.next() : Promise.resolve(`${id}`)),
      { max: 2 },
    );
    const first = fn(0);
    for (let id = 1; id <= 50; id++) await fn(id);
    const joined = fn(0);
    expect(joined).toBe(first);
    gates.at(0).open('kept');
    expect(await first).toBe('kept');
    expect(fn(0)).toBe(first);
    expect(gates.arrived).toBe(1);
  });

  test('a function may call itself with other arguments', async () => {
    const sync = memoize((n: number): number => (n < 2 ? n : sync(n - 1) + sync(n - 2)));
    expect(sync(50)).toBe(12586269025);
    expect(sync.cacheInfo()).toMatchObject({ misses: 51, hits: 48 });
    const later = memoize(
      async (n: number): Promise<number> =>
        n < 2 ? n : (await later(n - 1)) + (await later(n - 2)),
      { max: 3 },
    );
    expect(await later(30)).toBe(832040);
  });

  test('if a synchronous re-entry begins a second load for a key, callers join the second', async () => {
    const gates = new Gates<string>();
    let depth = 0;
    const fn = memoize((_: string): Promise<string> => {
      if (depth++ === 0) void fn('k');
      return gates.next();
    });
    const outer = fn('k');
    expect(fn('k')).toBe(outer);
    gates.at(1).open('outer');
    expect(await outer).toBe('outer');
    gates.at(0).open('inner');
    await gates.at(0).passed;
    expect(await fn('k')).toBe('outer');
  });
});

test('a result that can be read once is read by the first caller only: tc39/proposal-function-memo#10', async () => {
  const numbers = memoize(function* () {
    yield 1;
  });
  expect([...numbers()]).toEqual([1]);
  expect([...numbers()]).toEqual([]);
  const ticks = memoize(async function* () {
    yield 1;
  });
  const read: number[] = [];
  for (let caller = 0; caller < 2; caller++) for await (const tick of ticks()) read.push(tick);
  expect(read).toEqual([1]);
  const page = memoize(async () => new Response('tea'));
  expect(await (await page()).text()).toBe('tea');
  await expect((await page()).text()).rejects.toThrow(TypeError);
  const text = memoize(async () => (await page.wrapped()).text());
  expect([await text(), await text()]).toEqual(['tea', 'tea']);
});
