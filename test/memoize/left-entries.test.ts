/** Entries and loads that have left a cache leave nothing of their keys behind in it. */
import { expect, test } from 'vitest';
import { restore } from '../../src/memoize/dump/index.js';
import { memoize } from '../../src/memoize/index.js';
import { sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { heapAtRest } from '../kit/heap-at-rest.js';
import { POLICIES } from '../kit/policies.js';

const ROUNDS = 10_000;

/** A level of the keys that stays takes more for each round, in bytes. */
const MIN_LEFTOVER = 50;

const clock = new FakeClock();
const sum = (a: number, b: number): number => a + b;
const plain = memoize(sum);
const revalidated = memoize(sum, { ttl: 10, staleWhileRevalidate: 1_000, clock });
const hanging = memoize((_a: number, _b: number) => new Promise<number>(() => {}), {
  load: ({ signal }) => new Promise<number>(() => void signal),
});
const tagged = memoize(sum, { tags: (_, a, b) => [`${a} ${b}`] });
const living = {};
const ofObject = memoize((_: object, a: number) => a);
const weak = memoize((_a: number, _b: number) => living, { weakValues: true });
const slow = memoize(async (a: number, b: number) => sum(a, b));
const bounded = POLICIES.map(({ what, options }) => ({
  what,
  fn: memoize(sum, { max: 2, ...options }),
}));
const stored = new Map<string, unknown>();
const shared = memoize(async (a: number, b: number) => sum(a, b), {
  name: 'sum',
  max: 2,
  shared: sharedCache({
    store: {
      get: async (name) => stored.get(name),
      set: async (name, value) => stored.set(name, value),
      delete: async (name) => stored.delete(name),
    },
  }),
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
    'set and deleted',
    (a, b) => {
      plain.set([a, b], 1);
      plain.delete(a, b);
    },
  ],
  [
    'deleted with a tag of its own',
    (a, b) => {
      tagged(a, b);
      tagged.delete(a, b);
    },
  ],
  [
    'deleted before the object in its key has died',
    (a) => {
      ofObject(living, a);
      ofObject.delete(living, a);
    },
  ],
  [
    'deleted before its result has died, which is held weakly',
    (a, b) => {
      weak(a, b);
      weak.delete(a, b);
    },
  ],
  [
    'joined and deleted',
    async (a, b) => {
      await Promise.all([slow(a, b), slow(a, b)]);
      slow.delete(a, b);
    },
  ],
  ...bounded.map(({ what, fn }): [string, (a: number, b: number) => unknown] => [
    `evicted by the policy ${what}`,
    (a, b) => void fn(a, b),
  ]),
  [
    'evicted after it was written to a shared store',
    async (a, b) => {
      await shared(a, b);
      stored.clear();
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
  expect((await repeat()) - before).toBeLessThan(ROUNDS * MIN_LEFTOVER);
});
