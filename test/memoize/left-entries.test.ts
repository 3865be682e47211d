/** Entries and loads that have left a cache leave nothing of their keys behind in it. */
import { expect, test } from 'vitest';
import { restore } from '../../src/memoize/dump/index.js';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { heapAtRest } from '../kit/heap-at-rest.js';

const ROUNDS = 10_000;

/** A level of the keys that stays takes more for each round, in bytes. */
const LEAST_LEFTOVER = 50;

const clock = new FakeClock();
const sum = (a: number, b: number): number => a + b;
const plain = memoize(sum);
const revalidated = memoize(sum, { ttl: 10, staleWhileRevalidate: 1_000, clock });
const hanging = memoize((_a: number, _b: number) => new Promise<number>(() => {}), {
  load: ({ signal }) => new Promise<number>(() => void signal),
});

test.each<[string, (a: number, b: number) => unknown]>([
  [
    'restored and deleted',
    (a, b) => {
      restore(plain, [{ args: [a, b], value: 1 }]);
      plain.delete(a, b);
    },
  ],
  [
    'loaded and deleted',
    (a, b) => {
      plain(a, b);
      plain.delete(a, b);
    },
  ],
  [
    'deleted before its revalidation begins',
    (a, b) => {
      revalidated(a, b);
      clock.jump(20);
      revalidated(a, b);
      revalidated.delete(a, b);
      return Promise.resolve();
    },
  ],
  [
    'given up by its only caller while its load hangs',
    (a, b) => {
      const leaving = new AbortController();
      const left = hanging.call([a, b], { signal: leaving.signal }).catch(() => {});
      leaving.abort();
      return left;
    },
  ],
])('%s', async (_, useKey) => {
  let key = 0;
  const repeat = async (): Promise<number> => {
    for (const end = key + ROUNDS; key < end; key++) await useKey(key, key);
    return heapAtRest();
  };
  const before = await repeat();
  expect((await repeat()) - before).toBeLessThan(ROUNDS * LEAST_LEFTOVER);
});
