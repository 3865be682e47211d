/** The figures of a cache: the four of functools, and those of Caffeine. */
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';

test('all figures of a cache that was never called', () => {
  expect(memoize((x: number) => x, { max: 3 }).cacheInfo()).toEqual({
    hits: 0,
    misses: 0,
    joins: 0,
    hitRate: 1,
    staleHits: 0,
    loads: 0,
    loadFailures: 0,
    loadMillis: 0,
    refreshes: 0,
    refreshFailures: 0,
    evictions: 0,
    evictedWeight: 0,
    expirations: 0,
    collected: 0,
    disposals: 0,
    disposeFailures: 0,
    sharedHits: 0,
    sharedMisses: 0,
    sharedWrites: 0,
    sharedErrors: 0,
    sharedRejects: 0,
    sharedFailures: 0,
    shared: undefined,
    inFlight: 0,
    size: 0,
    max: 3,
    weight: 0,
    maxWeight: Number.POSITIVE_INFINITY,
  });
});

test('hits, misses and joins are all calls, and the hit rate leaves out the joins', async () => {
  const gates = new Gates<string>();
  const fn = memoize((_: string) => gates.next());
  const loading = [fn('k'), fn('k')];
  gates.at(0).open('v');
  await Promise.all(loading);
  for (let i = 0; i < 3; i++) await fn('k');
  expect(fn.cacheInfo()).toMatchObject({ hits: 3, misses: 1, joins: 1, hitRate: 0.75 });
});

test('the time of asynchronous loads is counted, failed ones included', async () => {
  const clock = new FakeClock();
  const gates = new Gates<string>();
  const fn = memoize((_: string) => gates.next(), { clock });
  const slow = fn('slow');
  clock.jump(40);
  const failing = fn('failing');
  clock.jump(2);
  gates.at(0).open('v');
  gates.at(1).fail(new Error('down'));
  await slow;
  await expect(failing).rejects.toThrow('down');
  expect(fn.cacheInfo()).toMatchObject({ loadMillis: 44, loads: 1, loadFailures: 1 });
});
