/** Entries that are not fresh: refreshed ahead of time, served stale, or served in place of a failure. */
import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

const stores = [
  { what: 'unbounded', bound: {} },
  { what: 'bounded', bound: { max: 100 } },
];

describe.each(stores)('stale while revalidate, $what', ({ bound }) => {
  function cached(options: object = {}) {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const errors: unknown[] = [];
    const fn = memoize((_: string) => gates.next(), {
      ...bound,
      ttl: 100,
      staleWhileRevalidate: 50,
      clock,
      onError: (error) => errors.push(error),
      ...options,
    });
    return { clock, gates, fn, errors };
  }

  test('the stale value is served, and one load replaces it: mcollina/async-cache-dedupe#164', async () => {
    const { clock, gates, fn } = cached();
    gates.at(0).open('old');
    await fn('k');
    clock.jump(100);
    expect(await Promise.all([fn('k'), fn('k'), fn('k')])).toEqual(['old', 'old', 'old']);
    expect(gates.arrived).toBe(2);
    gates.at(1).open('new');
    await settle();
    expect(await fn('k')).toBe('new');
    clock.jump(99);
    expect(await fn('k')).toBe('new');
    expect(gates.arrived).toBe(2);
    expect(fn.cacheInfo()).toMatchObject({ hits: 5, staleHits: 3, misses: 1, refreshes: 1 });
  });

  test('after the window a caller waits for the load', async () => {
    const { clock, gates, fn } = cached();
    gates.at(0).open('old');
    await fn('k');
    clock.jump(150);
    expect(fn.has('k')).toBe(false);
    gates.at(1).open('new');
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo()).toMatchObject({ misses: 2, expirations: 1, refreshes: 0 });
  });

  test('`peek` and `has` tell what a call would be served', async () => {
    const { clock, gates, fn } = cached();
    gates.at(0).open('old');
    const first = fn('k');
    await first;
    clock.jump(149);
    expect(fn.has('k')).toBe(true);
    expect(fn.peek('k')).toBe(first);
    expect(gates.arrived).toBe(1);
  });

  test('a revalidation that fails is reported, and without a pause the next call tries again', async () => {
    const { clock, gates, fn, errors } = cached({ retryAfterMillis: 0 });
    gates.at(0).open('old');
    await fn('k');
    clock.jump(100);
    expect(await fn('k')).toBe('old');
    gates.at(1).fail(new Error('down'));
    await settle();
    expect(errors).toEqual([new Error('down')]);
    expect(await fn('k')).toBe('old');
    gates.at(2).open('new');
    await settle();
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo()).toMatchObject({ refreshes: 2, refreshFailures: 1, loadFailures: 1 });
  });

  test('a source that is down gets one background load a second, not one for each hit', async () => {
    const { clock, gates, fn, errors } = cached({ staleWhileRevalidate: 60_000 });
    gates.at(0).open('old');
    await fn('k');
    clock.jump(100);
    for (let seconds = 0; seconds < 10; seconds++) {
      gates.at(gates.arrived).fail(new Error('down'));
      for (let hit = 0; hit < 20; hit++) {
        expect(await fn('k')).toBe('old');
        await settle();
      }
      expect([gates.arrived, errors.length]).toEqual([seconds + 2, seconds + 1]);
      clock.jump(1_000);
    }
    gates.at(gates.arrived).open('new');
    expect(await fn('k')).toBe('old');
    await settle();
    expect(await fn('k')).toBe('new');
  });

  test('a synchronous function runs again after the call, not during it', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize((_: string) => ++runs, {
      ...bound,
      ttl: 100,
      staleWhileRevalidate: 50,
      clock,
    });
    fn('k');
    clock.jump(100);
    expect([fn('k'), fn('k'), runs]).toEqual([1, 1, 1]);
    await settle();
    expect([fn('k'), runs]).toEqual([2, 2]);
    expect(fn.cacheInfo().refreshes).toBe(1);
  });

  test('a synchronous function that throws in the background leaves the entry as it is', async () => {
    const clock = new FakeClock();
    const errors: unknown[][] = [];
    let runs = 0;
    const fn = memoize(
      (_: string) => {
        if (++runs === 2) throw new Error('down');
        return runs;
      },
      {
        ...bound,
        ttl: 100,
        staleWhileRevalidate: 50,
        retryAfterMillis: 0,
        clock,
        name: 'numbers',
        onError: (...told) => errors.push(told),
      },
    );
    fn('k');
    clock.jump(100);
    expect(fn('k')).toBe(1);
    await settle();
    expect(errors).toEqual([[new Error('down'), "a background load of the cache 'numbers'"]]);
    expect(fn('k')).toBe(1);
    await settle();
    expect(fn('k')).toBe(3);
  });

  test('an invalidated entry is not served stale: Julien-R44/bentocache#71, #115', async () => {
    const { clock, gates, fn } = cached({ tags: () => ['t'] });
    for (const forget of [
      () => fn.delete('k'),
      () => fn.clear(),
      () => expect(fn.invalidateTags('t')).toBe(1),
    ]) {
      const before = gates.arrived;
      gates.at(before).open('old');
      await fn('k');
      clock.jump(100);
      expect(await fn('k')).toBe('old'); // A revalidation is in flight now.
      forget();
      const fresh = fn('k');
      gates.at(before + 1).open('begun before');
      gates.at(before + 2).open('fresh');
      expect(await fresh).toBe('fresh');
      await settle();
      expect(await fn('k')).toBe('fresh');
      fn.clear();
    }
  });

  test('NaN is revalidated in a microtask, as every result of a synchronous function: ngxs/store#2229', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(
      (_: string) => {
        runs++;
        return Number.NaN;
      },
      { ...bound, ttl: 100, staleWhileRevalidate: 50, clock },
    );
    fn('k');
    clock.jump(100);
    expect([fn('k'), runs]).toEqual([Number.NaN, 1]);
    await settle();
    expect(runs).toBe(2);
  });

  test('the microtask of a revalidation runs nothing if the entry is gone', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize((_: string, __: number) => ++runs, {
      ...bound,
      ttl: 100,
      staleWhileRevalidate: 50,
      clock,
    });
    fn('k', 1);
    clock.jump(100);
    fn('k', 1);
    fn.delete('k', 1);
    await settle();
    expect([runs, fn.cacheInfo().size]).toEqual([1, 0]);
    expect(fn.cacheInfo().refreshes, 'no load has begun').toBe(0);
  });
});

describe.each(stores)('stale if error, $what', ({ bound }) => {
  const options = { ...bound, ttl: 100, staleIfError: 1_000 };

  async function loadedOnce() {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, clock });
    gates.at(0).open('old');
    await fn('k');
    return { clock, gates, fn };
  }

  test('all waiting callers get the stale value in place of a rejection', async () => {
    const { clock, gates, fn } = await loadedOnce();
    clock.jump(100);
    expect(fn.has('k')).toBe(false);
    const both = [fn('k'), fn('k')];
    gates.at(1).fail(new Error('down'));
    expect(await Promise.all(both)).toEqual(['old', 'old']);
    gates.at(2).open('new');
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo()).toMatchObject({ loads: 2, loadFailures: 1, staleHits: 2, misses: 3 });
  });

  test('a caller gets the stale value in place of a throw', () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(
      (id: number) => {
        if (++runs > 1) throw new Error('down');
        return id;
      },
      { ...options, clock },
    );
    fn(7);
    clock.jump(100);
    expect([fn(7), fn(7), runs]).toEqual([7, 7, 3]);
    clock.jump(1_000);
    expect(() => fn(7)).toThrow('down');
    expect(fn.cacheInfo()).toMatchObject({ size: 0, expirations: 1 });
  });

  test.each([
    { what: 'a stale result', windows: { staleWhileRevalidate: 50 }, age: 120 },
    { what: 'a due result', windows: { refreshAfter: 60 }, age: 80 },
  ])(
    'callers that join the load in the background for $what get it in place of its failure',
    async ({ windows, age }) => {
      const clock = new FakeClock();
      const gates = new Gates<string>();
      const errors: unknown[] = [];
      const fn = memoize((_: string) => gates.next(), {
        ...options,
        ...windows,
        clock,
        onError: (error) => errors.push(error),
      });
      gates.at(0).open('old');
      await fn('k');
      clock.jump(age);
      await fn('k');
      clock.jump(100);
      const joined = [fn('k'), fn('k')];
      const { staleHits } = fn.cacheInfo();
      gates.at(1).fail('down');
      expect(await Promise.all(joined)).toEqual(['old', 'old']);
      expect([gates.arrived, errors]).toEqual([2, ['down']]);
      expect(fn.cacheInfo()).toMatchObject({ refreshFailures: 1, staleHits: staleHits + 2 });
    },
  );

  test('callers of a load that a forced one has superseded get its result in place of their failure', async () => {
    const { clock, gates, fn } = await loadedOnce();
    clock.jump(100);
    const waiting = fn('k');
    const forced = fn.refresh('k');
    await settle();
    gates.at(1).fail(new Error('down'));
    gates.at(2).fail(new Error('down, too'));
    expect(await Promise.all([waiting, forced])).toEqual(['old', 'old']);
  });

  test('a failure after the window rejects, even if the load began within it', async () => {
    const { clock, gates, fn } = await loadedOnce();
    clock.jump(1_000);
    const late = fn('k');
    clock.jump(100);
    gates.at(1).fail(new Error('down'));
    await expect(late).rejects.toThrow('down');
  });

  test('no stale value after an invalidation: Julien-R44/bentocache#71', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ...options, clock });
    for (const forget of [() => fn.delete('k'), () => fn.clear()]) {
      const before = gates.arrived;
      gates.at(before).open('old');
      await fn('k');
      clock.jump(100);
      const waiting = fn('k');
      forget();
      gates.at(before + 1).fail(new Error('down'));
      await expect(waiting).rejects.toThrow('down');
      gates.at(before + 2).fail(new Error('still down'));
      await expect(fn('k')).rejects.toThrow('still down');
    }
  });
});

describe('refreshAfter', () => {
  test.each([
    { what: 'fresh', age: 80, windows: { refreshAfter: 60 } },
    { what: 'stale, to be revalidated', age: 120, windows: { staleWhileRevalidate: 50 } },
  ])(
    'a call that joins a background load of a $what result that was evicted does not get its failure',
    async ({ age, windows }) => {
      const clock = new FakeClock();
      const gates = new Gates<string>();
      const fn = memoize((_: string) => gates.next(), {
        max: 1,
        ttl: 100,
        clock,
        onError: () => {},
        ...windows,
      });
      gates.at(0).open('old');
      await fn('k');
      clock.jump(age);
      await fn('k');
      fn.set(['other'], Promise.resolve('other'));
      await settle();
      const joined = fn('k');
      gates.at(1).fail(new Error('down'));
      expect(await joined).toBe('old');
      expect(gates.arrived).toBe(2);
    },
  );

  test('the caller of a forced load gets its failure while the result is fresh, and so do those who join it', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), {
      max: 1,
      ttl: 100,
      staleIfError: 100,
      clock: new FakeClock(),
    });
    gates.at(0).open('old');
    await fn('k');
    const forced = fn.refresh('k');
    fn.set(['other'], Promise.resolve('other'));
    await settle();
    const joined = fn('k');
    gates.at(1).fail(new Error('down'));
    await expect(forced).rejects.toThrow('down');
    await expect(joined).rejects.toThrow('down');
  });

  test('an entry that is used after refreshAfter is replaced before it expires', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { ttl: 100, refreshAfter: 60, clock });
    gates.at(0).open('old');
    await fn('k');
    clock.jump(59);
    await fn('k');
    expect(gates.arrived).toBe(1);
    clock.jump(1);
    expect(await fn('k')).toBe('old');
    expect(await fn('k')).toBe('old');
    expect(gates.arrived).toBe(2);
    gates.at(1).open('new');
    await settle();
    clock.jump(59);
    expect(await fn('k')).toBe('new');
    expect(fn.cacheInfo()).toMatchObject({ refreshes: 1, staleHits: 0, misses: 1, expirations: 0 });
  });

  test('an entry that is not used is not replaced', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(async (_: string) => ++runs, { ttl: 100, refreshAfter: 60, clock });
    await fn('k');
    await clock.advance(99);
    expect([runs, clock.pendingTimers]).toEqual([1, 0]);
  });
});

describe('negativeTtl', () => {
  test('a rejection is remembered for that time', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(
      async (_: string) => {
        throw new Error(`failure ${++runs}`);
      },
      { negativeTtl: 100, clock },
    );
    await expect(fn('k')).rejects.toThrow('failure 1');
    await expect(fn('k')).rejects.toThrow('failure 1');
    expect([fn.has('k'), fn.peek('k')]).toEqual([false, undefined]);
    expect(fn.cacheInfo()).toMatchObject({ hits: 1, misses: 1, size: 1 });
    clock.jump(100);
    await expect(fn('k')).rejects.toThrow('failure 2');
  });

  test('a throw is remembered too, for a time that depends on the error', () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(
      (id: number) => {
        runs++;
        throw new Error(id === 1 ? 'not found' : 'down');
      },
      {
        negativeTtl: (error, id) => ((error as Error).message === 'not found' ? 100 * id : 0),
        clock,
      },
    );
    expect(() => fn(1)).toThrow('not found');
    expect(() => fn(1)).toThrow('not found');
    expect(runs).toBe(1);
    expect(() => fn(2)).toThrow('down');
    expect(() => fn(2)).toThrow('down');
    expect(runs).toBe(3);
    expect(fn.delete(1)).toBe(true);
    expect(() => fn(1)).toThrow('not found');
    expect(runs).toBe(4);
  });

  test('a failure never replaces a result', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { negativeTtl: 100, clock });
    gates.at(0).open('good');
    await fn('k');
    gates.at(1).fail(new Error('down'));
    await expect(fn.refresh('k')).rejects.toThrow('down');
    expect(await fn('k')).toBe('good');
  });

  test('a result replaces a failure', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next(), { negativeTtl: 100, clock });
    gates.at(0).fail(new Error('down'));
    await expect(fn('k')).rejects.toThrow('down');
    gates.at(1).open('up');
    expect(await fn.refresh('k')).toBe('up');
    expect(await fn('k')).toBe('up');
  });
});

describe('a ttl for each entry', () => {
  test('as a function of the result and the arguments', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize(async (id: number) => ({ id, run: ++runs }), {
      ttl: (value, id) => value.id * id,
      clock,
    });
    await fn(10);
    clock.jump(99);
    expect((await fn(10)).run).toBe(1);
    clock.jump(1);
    expect((await fn(10)).run).toBe(2);
  });

  test.each([
    { what: 'a cache without a ttl', options: {} },
    { what: 'a bounded cache without a ttl', options: { max: 10 } },
    { what: 'a timed cache', options: { ttl: 1_000 } },
  ])('with `set`, in $what', ({ options }) => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize((_: string) => ++runs, { ...options, clock });
    expect(fn('other')).toBe(1);
    fn.set(['k'], 99, { ttl: 50 });
    clock.jump(49);
    expect(fn('k')).toBe(99);
    clock.jump(1);
    expect(fn('k')).toBe(2);
    expect(fn('other')).toBe(1);
    expect(() => fn.set(['k'], 1, { ttl: -1 })).toThrow('set: `ttl` must be');
    expect(() => fn.set(['k'], 1, { tags: 7 as never })).toThrow('set: `tags` must be');
  });

  test('a malformed duration is reported, and the result is not kept', () => {
    const errors: unknown[] = [];
    const fn = memoize((id: number) => id, {
      ttl: () => Number.NaN,
      onError: (error) => errors.push(error),
    });
    expect(fn(1)).toBe(1);
    expect(fn.has(1)).toBe(false);
    expect(errors).toEqual([expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' })]);
  });
});

describe('jitter', () => {
  test('shortens each ttl at random, so that entries stored together do not expire together', () => {
    const clock = new FakeClock();
    const draws = [0, 0.5, 0.999];
    const fn = memoize((id: number) => ({ id }), {
      ttl: 1_000,
      jitter: 0.2,
      random: () => draws.shift() ?? 0,
      clock,
    });
    const first = [1, 2, 3].map((id) => fn(id));
    const kept = (): boolean[] => first.map((value, i) => fn.peek(i + 1) === value);
    clock.jump(799);
    expect(kept()).toEqual([true, true, true]);
    clock.jump(1);
    expect(kept()).toEqual([true, true, false]); // 800.2 ms, rounded down.
    clock.jump(100);
    expect(kept()).toEqual([true, false, false]);
    clock.jump(100);
    expect(kept()).toEqual([false, false, false]);
  });
});

test('windows beyond 2^31 ms work: Julien-R44/bentocache#61', async () => {
  const clock = new FakeClock();
  const long = 2 ** 31 + 5;
  let runs = 0;
  const fn = memoize(async (_: string) => ++runs, {
    ttl: long,
    staleWhileRevalidate: long,
    staleIfError: long,
    clock,
  });
  await fn('k');
  await clock.advance(long - 1);
  expect(await fn('k')).toBe(1);
  expect(runs).toBe(1);
  await clock.advance(long);
  expect(await fn('k')).toBe(1);
  await settle();
  expect(await fn('k')).toBe(2);
  expect(clock.pendingTimers).toBe(0);
});

test('a synchronous function is not run for a stale entry that was replaced in the meantime', async () => {
  const clock = new FakeClock();
  let runs = 0;
  const fn = memoize((_: string) => `load ${++runs}`, {
    ttl: 100,
    staleWhileRevalidate: 50,
    clock,
  });
  fn('k');
  clock.jump(100);
  expect(fn('k')).toBe('load 1');
  fn.set(['k'], 'given');
  await settle();
  expect([fn('k'), runs]).toEqual(['given', 1]);
});

test('a forced load takes the place of a revalidation that has not begun', async () => {
  const clock = new FakeClock();
  const runs: string[] = [];
  const fn = memoize(async (key: string) => runs.push(key), {
    ttl: 100,
    staleWhileRevalidate: 50,
    clock,
  });
  await fn('other');
  fn.set(['k'], 9 as never);
  clock.jump(100);
  expect(fn('k'), 'a value that set() gave').toBe(9);
  expect(await fn.refresh('k')).toBe(2);
  expect(await fn('k')).toBe(2);
  expect(runs).toEqual(['other', 'k']);
});

test('a load in place of a remembered failure gets no stale value', () => {
  const clock = new FakeClock();
  const stale: unknown[] = [];
  const fn = memoize((_: string): string => 'never', {
    negativeTtl: 100,
    ttl: 1_000,
    clock,
    load: (context) => {
      stale.push(context.stale);
      throw new Error('down');
    },
  });
  expect(() => fn('k')).toThrow('down');
  clock.jump(100);
  expect(() => fn('k')).toThrow('down');
  expect(stale).toEqual([undefined, undefined]);
});

test('without `onError`, a source that is down is printed once, and not for each key', async () => {
  using print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FakeClock();
  let isDown = false;
  const load = async (key: string): Promise<string> => {
    if (isDown) throw new TypeError(`down for ${key}`);
    return key;
  };
  const prices = memoize(load, {
    name: 'prices',
    ttl: 100,
    staleWhileRevalidate: 1_000,
    clock,
  });
  const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`);
  for (const key of keys) await prices(key);
  clock.jump(200);
  isDown = true;
  for (const key of keys) expect(await prices(key)).toBe(key);
  await settle();
  expect(prices.cacheInfo().refreshFailures).toBe(60);
  expect(print.mock.calls).toEqual([
    [
      "tenure: error ignored in a background load of the cache 'prices':",
      new TypeError('down for key 0'),
    ],
  ]);
});
