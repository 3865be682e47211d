/** The events of a memoized function. Without a listener they cost nothing and change nothing. */
import { describe, expect, test, vi } from 'vitest';
import { type CacheEventMap, memoize } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

type Seen = [event: keyof CacheEventMap, ...details: unknown[]];

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
  { what: 'with a ttl', options: { ttl: 1e9 } },
  { what: 'bounded, with a ttl', options: { max: 100, ttl: 1e9 } },
])('events, $what', ({ options }) => {
  test.each([
    { what: 'a primitive', args: [1] },
    { what: 'an object', args: [{}] },
    { what: 'two arguments', args: [1, 'a'] },
    { what: 'no argument', args: [] },
  ])('each call is a hit or a miss: $what', ({ args }) => {
    const fn = memoize((...all: unknown[]) => all.length, options);
    fn(...args);
    const seen: Seen[] = [];
    const hit = ({ args: of }: CacheEventMap['hit']): void => void seen.push(['hit', of]);
    fn.on('hit', hit).on('miss', ({ args: of }) => seen.push(['miss', of]));
    fn(...args);
    fn.clear();
    fn(...args);
    fn(...args);
    expect(seen).toEqual([
      ['hit', args],
      ['miss', args],
      ['hit', args],
    ]);
    fn.off('hit', hit);
    fn(...args);
    expect(seen).toHaveLength(3);
    expect(fn.cacheInfo()).toMatchObject({ hits: 3, misses: 2 });
  });

  test('a load emits its result or its error, synchronous or not', async () => {
    const fn = memoize((id: number): number | Promise<number> => {
      if (id < 0) throw new RangeError('below 0');
      return id === 0 ? Promise.reject(new Error('zero')) : id > 10 ? Promise.resolve(id) : id;
    }, options);
    const seen: unknown[] = [];
    fn.on('load', ({ value, millis }) => seen.push([value, millis >= 0]));
    fn.on('error', ({ error }) => seen.push((error as Error).message));
    fn(1);
    await fn(11);
    await expect(fn(0)).rejects.toThrow('zero');
    expect(() => fn(-1)).toThrow('below 0');
    expect(seen).toEqual([[1, true], [11, true], 'zero', 'below 0']);
  });
});

test('an eviction emits the arguments and the cause; a removal by the user emits nothing', async () => {
  const clock = new FakeClock();
  const bounded = memoize((id: number) => id, { max: 2, ttl: 10, clock });
  const unbounded = memoize((of: object) => Object.keys(of).length);
  const seen: unknown[] = [];
  for (const fn of [bounded, unbounded]) {
    fn.on('evict', ({ args, cause }) => seen.push([args, cause]));
  }
  for (const id of [1, 2, 3]) bounded(id);
  clock.jump(10);
  bounded(3);
  bounded.delete(3);
  bounded.set([2], 7);
  bounded.clear();
  expect(seen.splice(0)).toEqual([
    [[1], 'size'],
    [[3], 'expired'],
  ]);
  (() => unbounded({}))();
  await collectGarbage();
  expect(seen).toEqual([[undefined, 'collected']]);
});

test('a stale answer emits `stale` and not `hit`, also in place of a failure', async () => {
  const clock = new FakeClock();
  let fails = false;
  const fn = memoize(
    async (id: number) => {
      if (fails) throw new Error('down');
      return id;
    },
    {
      ttl: 10,
      staleWhileRevalidate: 10,
      staleIfError: 100,
      retryAfterMillis: 0,
      clock,
      onError: () => {},
    },
  );
  await fn(1);
  const seen: Seen[] = [];
  for (const event of ['hit', 'stale', 'miss', 'error'] as const) {
    fn.on(event, (payload) => seen.push([event, 'args' in payload ? payload.args : undefined]));
  }
  fails = true;
  clock.jump(15);
  await fn(1);
  await settle();
  expect(seen.splice(0)).toEqual([
    ['stale', [1]],
    ['error', undefined],
  ]);
  clock.jump(15);
  expect(await fn(1)).toBe(1);
  expect(seen).toEqual([
    ['miss', [1]],
    ['error', undefined],
    ['stale', [1]],
  ]);
});

test('a listener that throws changes no answer, and is reported', () => {
  using print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const fn = memoize((id: number) => id);
  for (const event of ['hit', 'miss', 'load'] as const) {
    fn.on(event, () => {
      throw new Error(`broken ${event}`);
    });
  }
  expect([fn(1), fn(1)]).toEqual([1, 1]);
  expect(print).toHaveBeenCalledTimes(3);
});

test('a listener may call the cache, and remove itself', () => {
  const fn = memoize((id: number) => id);
  const seen: number[] = [];
  const once = ({ args }: CacheEventMap['miss']): void => {
    fn.off('miss', once);
    seen.push(args[0] as number);
    fn(2);
  };
  fn.on('miss', once);
  expect(fn(1)).toBe(1);
  expect(seen).toEqual([1]);
  expect(fn.has(2)).toBe(true);
});

test('an unknown event is refused, and the error names it', () => {
  const fn = memoize(() => 1);
  expect(() => fn.on('set' as 'hit', () => {})).toThrow("on: `event` must be one of 'hit', 'miss'");
});

test('an entry that a look at it finds expired is told of at once', () => {
  const clock = new FakeClock();
  const fn = memoize((id: number) => id, { max: 2, ttl: 10, clock });
  const seen: unknown[] = [];
  fn.on('evict', ({ args, cause }) => seen.push(args, cause));
  fn(1);
  clock.jump(10);
  expect([fn.has(1), seen]).toEqual([false, [[1], 'expired']]);
});
