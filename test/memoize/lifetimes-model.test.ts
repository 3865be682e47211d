/**
 * Compares random sequences of calls with a plain model of a cache with lifetimes, tags and weights. The function is
 * synchronous. So each step, with its background load, ends before the next one. `model.test.ts` tests loads that
 * overlap.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const KEYS = ['a', 'bb', 'ccc', 'dddd', 'eeeeeeeee'] as const;

interface Setting {
  readonly max: number;
  readonly maxWeight: number;
  readonly ttl: number;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly negativeTtl: number;
  readonly retryAfterMillis: number;
}

type Step =
  | { readonly op: 'call' | 'refresh' | 'delete' | 'set' | 'has'; readonly key: number }
  | { readonly op: 'tag'; readonly tag: number }
  | { readonly op: 'wait'; readonly millis: number }
  | { readonly op: 'clear' }
  | { readonly op: 'break'; readonly broken: boolean };

const key = fc.nat(KEYS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ op: fc.constant('call' as const), key }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), millis: fc.nat(40) }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constantFrom('refresh', 'delete', 'set', 'has'), key }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ op: fc.constant('break' as const), broken: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('tag' as const), tag: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ op: 'clear' }) },
);

const setting: fc.Arbitrary<Setting> = fc.record({
  max: fc.constantFrom(1, 2, 4),
  maxWeight: fc.constantFrom(4, 8, 100),
  ttl: fc.constantFrom(0, 20, 60),
  staleWhileRevalidate: fc.constantFrom(0, 15, 50),
  staleIfError: fc.constantFrom(0, 15, 50),
  negativeTtl: fc.constantFrom(0, 25),
  retryAfterMillis: fc.constantFrom(0, 0, 30),
});

interface Kept {
  readonly value: string;
  readonly failed: boolean;
  readonly expiresAt: number;
  readonly weight: number;
  /** No load replaces it before this time, because one has failed. */
  pausedUntil: number;
}

/** The answer that the cache must give. A failure is `failed …`. */
class Model {
  /** The entries, least recently used first. */
  readonly kept = new Map<string, Kept>();
  readonly counts = {
    hits: 0,
    misses: 0,
    staleHits: 0,
    evictions: 0,
    evictedWeight: 0,
    expirations: 0,
    refreshes: 0,
    refreshFailures: 0,
  };
  runs = 0;
  broken = false;
  readonly #setting: Setting;
  readonly #clock: FakeClock;

  constructor(setting: Setting, clock: FakeClock) {
    this.#setting = setting;
    this.#clock = clock;
  }

  get weight(): number {
    return [...this.kept.values()].reduce((sum, { weight }) => sum + weight, 0);
  }

  call(key: string): string {
    const kept = this.#alive(key);
    if (kept !== undefined) {
      this.#use(key, kept);
      const age = this.#clock.now() - kept.expiresAt;
      if (kept.failed || age < 0) {
        this.counts.hits++;
        return kept.value;
      }
      const { staleWhileRevalidate, staleIfError } = this.#setting;
      const isPaused = this.#clock.now() < kept.pausedUntil;
      if (age < staleWhileRevalidate || (isPaused && age < staleIfError)) {
        this.counts.hits++;
        this.counts.staleHits++;
        if (!isPaused) this.#revalidate(key, kept);
        return kept.value;
      }
    }
    return this.load(key);
  }

  load(key: string): string {
    this.counts.misses++;
    const kept = this.kept.get(key);
    const value = this.#run(key);
    if (!value.startsWith('failed')) {
      this.store(key, value);
      return value;
    }
    this.#pause(kept);
    const age = this.#clock.now() - (kept?.expiresAt ?? 0);
    if (kept?.failed === false && age >= 0 && age < this.#setting.staleIfError) {
      this.counts.staleHits++;
      return kept.value;
    }
    if (this.#setting.negativeTtl > 0 && (kept === undefined || this.#isDead(kept))) {
      this.#put(key, value, true, this.#setting.negativeTtl, 0);
    }
    return value;
  }

  store(key: string, value: string): void {
    const weight = key.length;
    const { ttl, staleWhileRevalidate, staleIfError, maxWeight } = this.#setting;
    const isOfUse = ttl + staleWhileRevalidate + staleIfError > 0;
    if (weight > maxWeight || !isOfUse) this.kept.delete(key);
    else this.#put(key, value, false, this.#setting.ttl, weight);
  }

  has(key: string): boolean {
    const kept = this.#alive(key);
    if (kept === undefined || kept.failed) return false;
    const now = this.#clock.now();
    const { staleWhileRevalidate, staleIfError } = this.#setting;
    const isPaused = now < kept.pausedUntil && now < kept.expiresAt + staleIfError;
    return isPaused || now < kept.expiresAt + staleWhileRevalidate;
  }

  forget(key: string): boolean {
    return this.#alive(key) !== undefined && this.kept.delete(key);
  }

  forgetTag(tag: number): number {
    const tagged = [...this.kept].filter(([key, { failed }]) => !failed && key.length % 2 === tag);
    return tagged.filter(([key]) => this.forget(key)).length;
  }

  #run(key: string): string {
    this.runs++;
    return this.broken ? `failed ${key} ${this.runs}` : `${key} ${this.runs}`;
  }

  #revalidate(key: string, kept: Kept): void {
    this.counts.refreshes++;
    const value = this.#run(key);
    if (!value.startsWith('failed')) this.store(key, value);
    else {
      this.counts.refreshFailures++;
      this.#pause(kept);
    }
  }

  #pause(kept: Kept | undefined): void {
    const { retryAfterMillis } = this.#setting;
    if (kept === undefined || retryAfterMillis === 0) return;
    kept.pausedUntil = this.#clock.now() + retryAfterMillis;
  }

  #isDead({ expiresAt, failed }: Kept): boolean {
    const { staleWhileRevalidate, staleIfError } = this.#setting;
    const grace = failed ? 0 : Math.max(staleWhileRevalidate, staleIfError);
    return this.#clock.now() >= expiresAt + grace;
  }

  #alive(key: string): Kept | undefined {
    const kept = this.kept.get(key);
    if (kept === undefined || !this.#isDead(kept)) return kept;
    this.kept.delete(key);
    this.counts.expirations++;
    return undefined;
  }

  #use(key: string, kept: Kept): void {
    this.kept.delete(key);
    this.kept.set(key, kept);
  }

  #put(key: string, value: string, failed: boolean, ttl: number, weight: number): void {
    this.kept.delete(key);
    while (this.weight + weight > this.#setting.maxWeight) this.#evict();
    if (this.kept.size === this.#setting.max) this.#evict();
    const expiresAt = this.#clock.now() + ttl;
    this.kept.set(key, { value, failed, expiresAt, weight, pausedUntil: 0 });
  }

  #evict(): void {
    const [[key, { weight }] = ['', { weight: 0 }]] = this.kept;
    this.kept.delete(key);
    this.counts.evictions++;
    this.counts.evictedWeight += weight;
  }
}

async function play(steps: readonly Step[], setting: Setting): Promise<void> {
  const clock = new FakeClock();
  const model = new Model(setting, clock);
  let runs = 0;
  const fn = memoize(
    (key: string) => {
      runs++;
      if (model.broken) throw new Error(`failed ${key} ${runs}`);
      return `${key} ${runs}`;
    },
    {
      ...setting,
      clock,
      weigh: (_, key) => key.length,
      tags: (_, key) => [`${key.length % 2}`],
      onError: () => {},
    },
  );
  const outcome = (call: () => string): string => {
    try {
      return call();
    } catch (error) {
      return (error as Error).message;
    }
  };

  for (const next of steps) {
    if (next.op === 'wait') clock.jump(next.millis);
    else if (next.op === 'break') model.broken = next.broken;
    else if (next.op === 'clear') {
      fn.clear();
      model.kept.clear();
    } else if (next.op === 'tag') {
      expect(fn.invalidateTags(`${next.tag}`)).toBe(model.forgetTag(next.tag));
    } else {
      const key = KEYS[next.key] as string;
      if (next.op === 'call') {
        const mine = outcome(() => fn(key));
        await settle();
        expect(mine).toBe(model.call(key));
      } else if (next.op === 'refresh') {
        expect(outcome(() => fn.refresh(key))).toBe(model.load(key));
      } else if (next.op === 'delete') expect(fn.delete(key)).toBe(model.forget(key));
      else if (next.op === 'has') expect(fn.has(key)).toBe(model.has(key));
      else {
        fn.set([key], 'set');
        model.store(key, 'set');
      }
    }
    expect(runs).toBe(model.runs);
    expect(fn.cacheInfo()).toMatchObject({
      ...model.counts,
      size: model.kept.size,
      weight: model.weight,
    });
  }
  expect(clock.pendingTimers).toBe(0);
}

test('a cache with lifetimes, tags and weights behaves as the model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), setting, play),
    {
      numRuns: 400,
      seed: 7,
    },
  );
});
