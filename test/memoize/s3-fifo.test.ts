/**
 * The eviction policy S3-FIFO: what it keeps, and random calls compared with a plain model of the paper's
 * queues.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hitRatio } from '../../bench/hit-ratio/hit-ratio.js';
import { mixed, zipf } from '../../bench/hit-ratio/workloads.js';
import { dump } from '../../src/memoize/dump/index.js';
import { type EvictionPolicy, memoize } from '../../src/memoize/index.js';
import { type Key, KeyTrie } from '../../src/memoize/keys/key-trie.js';
import { fingerprint } from '../../src/memoize/s3-fifo/fingerprint.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { FakeClock } from '../kit/fake-clock.js';

const policy = s3fifo();

describe('policy: s3fifo()', () => {
  test('a scan displaces no entry that is used repeatedly', () => {
    const kept = (under: EvictionPolicy | undefined): number => {
      const fn = memoize((id: number) => id, { max: 100, ...(under && { policy: under }) });
      for (let round = 0; round < 3; round++) for (let id = 0; id < 50; id++) fn(id);
      for (let id = 1_000; id < 3_000; id++) fn(id);
      return Array.from({ length: 50 }, (_, id) => fn.has(id)).filter(Boolean).length;
    };
    expect(kept(undefined)).toBe(0);
    expect(kept(policy)).toBe(50);
  });

  test('an entry that is stored again soon after its eviction is kept from then on', () => {
    const fn = memoize((id: number) => id, { max: 20, policy });
    for (let id = 0; id < 21; id++) fn(id);
    expect(fn.has(0)).toBe(false);
    fn(0); // The ghost queue has its fingerprint, so the entry goes to the main queue.
    for (let id = 100; id < 118; id++) fn(id);
    expect(fn.has(0)).toBe(true);
    expect(fn.has(5)).toBe(false);
  });

  test('argument lists and objects are recognized by their fingerprints too', () => {
    const owner = {};
    const fn = memoize((_: object, id: number) => id, { max: 20, policy });
    for (let id = 0; id < 21; id++) fn(owner, id);
    fn(owner, 0);
    for (let id = 100; id < 118; id++) fn(owner, id);
    expect(fn.has(owner, 0)).toBe(true);
    expect(fn.has(owner, 5)).toBe(false);
  });

  test('argument lists are told apart by their fingerprints', () => {
    const trie = new KeyTrie();
    const prints = new Set<number>();
    for (let id = 0; id < 1_000; id++) {
      for (const args of [
        [id, 'x'],
        ['x', id],
        [id, {}],
        [id, 'x', 'x'],
      ]) {
        prints.add(fingerprint(trie.intern(undefined, args) as Key));
      }
    }
    expect(prints.size).toBeGreaterThan(3_990);
  });

  test('an entry that expires in the main queue goes there again when it is stored again', () => {
    const clock = new FakeClock();
    const fn = memoize((id: number) => id, { max: 20, policy, ttl: 100, clock });
    for (let round = 0; round < 3; round++) fn(0);
    for (let id = 1; id < 22; id++) fn(id);
    clock.jump(100);
    fn(0);
    for (let id = 100; id < 119; id++) fn(id);
    expect(fn.has(0)).toBe(true);
  });

  test('an unknown policy is refused', () => {
    expect(() => memoize(() => 1, { policy: 'fifo' as never })).toThrow(
      /`policy` must be made by a policy, such as s3fifo\(\) of 'tenure\/memoize\/s3-fifo'/,
    );
  });

  test('has more hits than LRU, on Zipf and mixed workloads', () => {
    for (const [workload, margin] of [
      [zipf(0.8, 1, 10_000, 100_000), 0.08],
      [zipf(0.99, 1, 10_000, 100_000), 0.06],
      [zipf(1.1, 1, 10_000, 100_000), 0.04],
      [mixed(1, 10_000, 100_000), 0.07],
    ] as const) {
      const lru = hitRatio(workload.keys, 300).ratio;
      expect(hitRatio(workload.keys, 300, policy).ratio - lru, workload.name).toBeGreaterThan(
        margin,
      );
    }
  });
});

/**
 * The paper's three queues as arrays, oldest first. The ghost queue of the model is exact; that of the store is a hash
 * table of buckets.
 */
class PlainQueues {
  readonly hits = new Map<number, number>();
  readonly expiresAt = new Map<number, number>();
  small: number[] = [];
  main: number[] = [];
  ghost: { key: number; since: number }[] = [];
  evicted = 0;
  expired = 0;
  #remembered = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  call(key: number, now: number, ttl: number): boolean {
    const hits = this.hits.get(key);
    if (hits !== undefined) {
      this.hits.set(key, Math.min(3, hits + 1));
      if (now < (this.expiresAt.get(key) as number)) return true;
      this.expired++;
      if (this.main.includes(key)) this.#remember(key);
      this.remove(key);
    }
    while (this.hits.size >= this.#max) this.#evict();
    const ghost = this.ghost.find((past) => past.key === key);
    this.ghost = this.ghost.filter((past) => past !== ghost);
    const known = ghost !== undefined && ghost.since > this.#remembered - this.#ghostLength;
    (known ? this.main : this.small).push(key);
    this.hits.set(key, 0);
    this.expiresAt.set(key, now + ttl);
    return false;
  }

  remove(key: number): boolean {
    this.small = this.small.filter((kept) => kept !== key);
    this.main = this.main.filter((kept) => kept !== key);
    return this.hits.delete(key);
  }

  get #ghostLength(): number {
    return this.#max - Math.floor(this.#max / 10);
  }

  #remember(key: number): void {
    this.#remembered++;
    this.ghost = this.ghost.filter((past) => past.key !== key);
    this.ghost.push({ key, since: this.#remembered });
  }

  #evict(): void {
    for (;;) {
      const fromSmall =
        this.main.length === 0 || this.small.length >= Math.max(1, Math.floor(this.#max / 10));
      const key = (fromSmall ? this.small : this.main).shift() as number;
      const hits = this.hits.get(key) as number;
      if (hits >= (fromSmall ? 2 : 1)) {
        this.hits.set(key, fromSmall ? 0 : hits - 1);
        this.main.push(key);
        continue;
      }
      if (fromSmall) this.#remember(key);
      this.hits.delete(key);
      this.evicted++;
      return;
    }
  }
}

type Step = { readonly op: 'call' | 'delete'; readonly key: number } | { readonly wait: number };

/** Keys of which at most eight share a bucket of the ghost queue, so that no fingerprint is forgotten early. */
const KEYS: readonly number[] = [0, 1, 2, 3].flatMap((bucket) =>
  Array.from({ length: 400 }, (_, key) => key)
    .filter((key) => fingerprint(key) % 4 === bucket)
    .slice(0, 8),
);

const keys = (count: number): fc.Arbitrary<number> => fc.constantFrom(...KEYS.slice(0, count));

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ op: fc.constant('call' as const), key: keys(32) }) },
    { weight: 10, arbitrary: fc.record({ op: fc.constant('call' as const), key: keys(10) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('delete' as const), key: keys(32) }) },
    { weight: 1, arbitrary: fc.record({ wait: fc.nat(60) }) },
  ),
  { maxLength: 400, size: 'max' },
);

test('random calls, deletions and time: hits, evictions and entries are those of the plain queues', () => {
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 2, 3, 9, 10, 11, 25), (played, max) => {
      const clock = new FakeClock();
      const ttl = 100;
      const fn = memoize((id: number) => id, { max, policy, ttl, clock });
      const plain = new PlainQueues(max);
      for (const step of played) {
        if ('wait' in step) clock.jump(step.wait);
        else if (step.op === 'delete') {
          const fresh = clock.now() < (plain.expiresAt.get(step.key) ?? 0);
          if (!plain.hits.has(step.key) || fresh) {
            expect(fn.delete(step.key)).toBe(plain.remove(step.key));
          }
        } else {
          const { hits } = fn.cacheInfo();
          fn(step.key);
          expect(fn.cacheInfo().hits - hits).toBe(plain.call(step.key, clock.now(), ttl) ? 1 : 0);
        }
        const { evictions, size, expirations } = fn.cacheInfo();
        expect([evictions, size, expirations]).toEqual([
          plain.evicted,
          plain.hits.size,
          plain.expired,
        ]);
      }
      expect(dump(fn).map(({ args }) => args[0])).toEqual(
        [...plain.small, ...plain.main].filter(
          (key) => clock.now() < (plain.expiresAt.get(key) as number),
        ),
      );
    }),
    { numRuns: 300, seed: 11 },
  );
});
