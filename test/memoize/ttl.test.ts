import { describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';

describe.each([
  { what: 'unbounded', bound: {} },
  { what: 'bounded', bound: { max: 1_000 } },
])('ttl, $what', ({ bound }) => {
  test('an entry is served until its ttl has passed', () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize((_: number) => ++runs, { ...bound, ttl: 100, clock });
    fn(1);
    clock.jump(99);
    expect([fn(1), fn.has(1), fn.peek(1)]).toEqual([1, true, 1]);
    clock.jump(1);
    expect([fn.has(1), fn.peek(1)]).toEqual([false, undefined]);
    expect(fn.delete(1)).toBe(false);
    expect(fn(1)).toBe(2);
    expect(fn.cacheInfo()).toMatchObject({ hits: 1, misses: 2, expirations: 1, size: 1 });
  });

  test.each([{ args: [1] }, { args: [{}] }, { args: [1, 2] }, { args: [] }])(
    'an entry of $args expires too',
    ({ args }) => {
      const clock = new FakeClock();
      let runs = 0;
      const fn = memoize((..._: unknown[]) => ++runs, { ...bound, ttl: 100, clock });
      expect([fn(...args), fn(...args)]).toEqual([1, 1]);
      clock.jump(100);
      expect([fn(...args), fn(...args)]).toEqual([2, 2]);
      expect(fn.cacheInfo().expirations).toBe(1);
    },
  );

  test('a hit does not extend the ttl', () => {
    const clock = new FakeClock();
    let runs = 0;
    const fn = memoize((_: number) => ++runs, { ...bound, ttl: 100, clock });
    for (let i = 0; i < 10; i++) {
      fn(1);
      clock.jump(30);
    }
    expect(runs).toBe(3);
  });

  test('the ttl counts from the arrival of the result', async () => {
    const clock = new FakeClock();
    const gates = new Gates<string>();
    const fn = memoize((_: number) => gates.next(), { ...bound, ttl: 100, clock });
    const first = fn(1);
    clock.jump(5_000);
    expect(fn(1)).toBe(first);
    gates.at(0).open('late');
    await first;
    clock.jump(99);
    expect(fn(1)).toBe(first);
    clock.jump(1);
    expect(fn(1)).not.toBe(first);
    gates.at(1).open('again');
  });

  test('a ttl above 2^31 ms works: Julien-R44/bentocache#61, isaacs/ttlcache#41', async () => {
    const clock = new FakeClock();
    let runs = 0;
    const ttl = 2 ** 31 + 10;
    const fn = memoize((_: number) => ++runs, { ...bound, ttl, clock });
    fn(1);
    await clock.advance(2 ** 31 + 9);
    expect(fn(1)).toBe(1);
    await clock.advance(1);
    expect(fn(1)).toBe(2);
  });

  test('no timer is set: sindresorhus/memoize#14, #71, #109, medikoo/memoizee#142', async () => {
    const clock = new FakeClock();
    const fn = memoize(async (id: number) => id, { ...bound, ttl: 100, clock });
    for (let id = 0; id < 100; id++) await fn(id);
    expect(clock.pendingTimers).toBe(0);
  });

  test('`Infinity` never expires and 0 expires at once', () => {
    const clock = new FakeClock();
    let runs = 0;
    const ever = memoize((_: number) => ++runs, { ...bound, ttl: Infinity, clock });
    ever(1);
    clock.jump(1e15);
    expect(ever(1)).toBe(1);
    runs = 0;
    const never = memoize((_: number) => ++runs, { ...bound, ttl: 0, clock });
    expect([never(1), never(1)]).toEqual([1, 2]);
  });

  test('the system clock is the default', () => {
    const fn = memoize((id: number) => ({ id }), { ...bound, ttl: 1e9 });
    expect(fn(1)).toBe(fn(1));
  });
});

describe('expired entries that no caller asks for', () => {
  test.each([
    { what: 'one argument', args: (id: number): unknown[] => [id] },
    { what: 'two arguments', args: (id: number): unknown[] => [id, 'x'] },
    { what: 'an object that lives on', args: (id: number): unknown[] => [{ id }, id] },
  ])(
    'leave an unbounded cache as new entries come: node-cache/node-cache#155 ($what)',
    ({ args }) => {
      const clock = new FakeClock();
      const alive: unknown[][] = [];
      const fn = memoize((..._: unknown[]) => 'x', { ttl: 100, clock });
      for (let id = 0; id < 10_000; id++) {
        const list = args(id);
        alive.push(list);
        fn(...list);
        clock.jump(1); // 100 entries are fresh at any time.
      }
      expect(fn.cacheInfo().size).toBeLessThan(1_000);
      expect(fn.cacheInfo().expirations).toBe(10_000 - fn.cacheInfo().size);
      expect(alive).toHaveLength(10_000);
    },
  );
});

test('with the clock `Date`, the sleep of a machine counts: nodejs/node#47724', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    let runs = 0;
    const load = (_: number) => ++runs;
    const byDate = memoize(load, { ttl: 60_000, clock: Date });
    const byUptime = memoize(load, { ttl: 60_000 });
    expect([byDate(1), byUptime(1)]).toEqual([1, 2]);
    vi.setSystemTime(Date.now() + 8 * 3_600_000); // The machine slept: `performance.now()` has stood still.
    expect([byDate(1), byUptime(1)]).toEqual([3, 2]);
  } finally {
    vi.useRealTimers();
  }
});

test.each([{}, { max: 10 }])(
  'a result that was stored while the clock gave no number expires, %o',
  (bound) => {
    let now = Number.NaN;
    let runs = 0;
    const fn = memoize((_: number) => ++runs, { ...bound, ttl: 100, clock: { now: () => now } });
    fn(1);
    now = 1_000;
    expect([fn(1), fn(1)]).toEqual([2, 2]);
  },
);

test('with a `ttl` of 0 nothing is kept that could not be served stale, and nothing is evicted for it', async () => {
  const clock = new FakeClock();
  let loads = 0;
  const fn = memoize(async (_: string) => ++loads, { max: 1, ttl: 0, clock });
  fn.set(['kept'], Promise.resolve(0), { ttl: 1_000 });
  expect([await fn('k'), await fn('k')]).toEqual([1, 2]);
  expect([fn.has('kept'), fn.cacheInfo().size]).toEqual([true, 1]);
  const stale = memoize(fn.wrapped, { ttl: 0, staleWhileRevalidate: 1_000, clock });
  expect([await stale('k'), await stale('k')]).toEqual([3, 3]);
  expect(loads).toBe(4);
});
