/**
 * Random programs on one cache, with loads that overlap, callers that leave, leases, and foreign code that calls the cache from
 * listeners and disposals. Each program keeps these promises:
 *
 * - a call gets a result of its own key, and none from before an invalidation that came before the call,
 * - a leased result is not disposed of; each result is disposed of at most once, and in the end each is disposed of or was given to
 *   a caller (without tags: after an invalidation a caller may wait for a load whose result it does not get),
 * - the bounds hold after each step, every caller gets an answer, and a cleared cache is empty.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { disposal, type SharedLease } from '../../src/memoize/disposal/index.js';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { POLICIES } from '../kit/policies.js';
import { settle } from '../kit/settle.js';

const KEYS = [['a'], ['b', 1], ['b', 2], ['c']] as const;
type Key = readonly [string, number?];

const CALLS = ['call', 'call with a signal', 'refresh', 'lease'] as const;
const FORGETS = ['delete', 'clear', 'invalidate', 'set'] as const;
const action = fc.record({ op: fc.constantFrom(...CALLS, ...FORGETS), key: fc.nat(3) });
const step = fc.record({
  op: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...CALLS) },
    { weight: 3, arbitrary: fc.constantFrom(...FORGETS) },
    { weight: 8, arbitrary: fc.constantFrom('end', 'end', 'fail', 'wait', 'abort', 'release') },
  ),
  key: fc.nat(3),
  /** What the next foreign code does that runs. */
  foreign: fc.option(action, { freq: 3 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Op = Step['op'];

const setting = fc.record({
  max: fc.constantFrom(0, 1, 2, 4),
  maxWeight: fc.constantFrom(3, 100),
  policy: fc.constantFrom(...POLICIES.map(({ options }) => options)),
  ttl: fc.constantFrom(0, 5, Infinity),
  staleWhileRevalidate: fc.constantFrom(0, 10),
  staleIfError: fc.constantFrom(0, 30),
  negativeTtl: fc.constantFrom(0, 10),
  refreshAfter: fc.constantFrom(4, Infinity),
  loadTimeoutMillis: fc.constantFrom(8, 1_000),
});
type Setting = typeof setting extends fc.Arbitrary<infer S> ? S : never;

/** One result: when its load began, and what became of it. */
class Result {
  disposals = 0;
  isDelivered = false;
  readonly key: string;
  readonly tag: string;
  readonly weight: number;
  begun: number;
  constructor(key: string, begun: number) {
    this.key = key;
    this.begun = begun;
    this.tag = begun % 2 === 0 ? 'even' : 'odd';
    this.weight = begun % 3;
  }
}

class Program {
  readonly #clock = new FakeClock();
  readonly #results: Result[] = [];
  readonly #pending: { result: Result; end: () => void; fail: () => void; isOver: boolean }[] = [];
  readonly #leases: SharedLease<Result, void>[] = [];
  readonly #callers: AbortController[] = [];
  readonly #answers: Promise<unknown>[] = [];
  /** The promises that a caller has seen broken. */
  readonly #broken: unknown[] = [];
  readonly #invalidated = new Map<string, number>();
  readonly #setting: Setting;
  readonly #hasTags: boolean;
  readonly #cache;
  #foreign: Step['foreign'] = null;
  #now = 0;

  constructor(setting: Setting, hasTags: boolean) {
    this.#setting = setting;
    this.#hasTags = hasTags;
    const load = (...key: Key): Promise<Result> => {
      const result = this.#make(key);
      this.#runForeign();
      return new Promise((resolve, reject) => {
        const pending = {
          result,
          isOver: false,
          end: () => resolve(result),
          fail: () => reject(new Error('failed')),
        };
        this.#pending.push(pending);
      });
    };
    const { policy, ...limits } = setting;
    this.#cache = memoize(load, {
      ...limits,
      ...policy,
      clock: this.#clock,
      onError: () => {},
      weigh: ({ weight }) => weight,
      cacheIf: () => {
        this.#runForeign();
        return true;
      },
      ...(hasTags ? { tags: ({ tag }: Result) => [tag] } : {}),
      dispose: disposal((result) => {
        result.disposals++;
        this.#runForeign();
      }),
    });
    for (const event of ['hit', 'stale', 'miss', 'load', 'error', 'evict'] as const) {
      this.#cache.on(event, () => this.#runForeign());
    }
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const { op, key, foreign } of steps) {
      this.#foreign = foreign;
      await this.#do(op, KEYS[key] as Key);
      const { size, weight } = this.#cache.cacheInfo();
      expect(size).toBeLessThanOrEqual(this.#setting.max);
      expect(weight).toBeLessThanOrEqual(this.#setting.maxWeight);
    }
    this.#foreign = null;
    for (let round = 0; round < 4; round++) {
      for (const { end } of this.#pending.splice(0)) end();
      await settle();
    }
    await Promise.all(this.#answers);
    expect(this.#broken).toEqual([]);
    this.#cache.clear();
    expect(this.#cache.cacheInfo()).toMatchObject({ size: 0, weight: 0, inFlight: 0 });
    while (this.#leases.length > 0) this.#release();
    for (const { key, begun, disposals, isDelivered } of this.#results) {
      expect({
        key,
        begun,
        disposals,
        isLost: !this.#hasTags && disposals === 0 && !isDelivered,
      }).toMatchObject({
        disposals: expect.toSatisfy((count: number) => count <= 1),
        isLost: false,
      });
    }
  }

  async #do(op: Op, key: Key): Promise<void> {
    const [pending] = this.#pending;
    if (op === 'end') this.#pending.shift()?.end();
    else if (op === 'fail') {
      // A failed load brings no result.
      if (pending !== undefined) this.#results.splice(this.#results.indexOf(pending.result), 1);
      this.#pending.shift()?.fail();
    } else if (op === 'wait') await this.#clock.advance(3);
    else if (op === 'abort') {
      await settle(); // A caller that leaves between the end of its load and its own promise loses the result.
      this.#callers.shift()?.abort();
    } else if (op === 'release') this.#release();
    else this.#act(op, key);
    if (this.#now % 3 === 0) await settle();
  }

  #act(op: (typeof CALLS | typeof FORGETS)[number], key: Key): void {
    const args = [...key] as [string, number?];
    if (op === 'delete')
      this.#forget(KEYS.indexOf(key as never), () => this.#cache.delete(...args));
    else if (op === 'clear') this.#forget(-1, () => this.#cache.clear());
    else if (op === 'invalidate') {
      if (!this.#hasTags) return;
      this.#invalidated.set('odd', ++this.#now);
      this.#cache.invalidateTags('odd');
    } else if (op === 'set') {
      const result = this.#make(key);
      result.isDelivered = true; // The caller of `set` has it.
      this.#forget(KEYS.indexOf(key as never), () =>
        this.#cache.set(args, Promise.resolve(result)),
      );
      result.begun = ++this.#now;
    } else this.#call(op, key, args);
  }

  #call(op: (typeof CALLS)[number], key: Key, args: [string, number?]): void {
    const since = Math.max(this.#invalidated.get(`${key}`) ?? 0, 0);
    const sinceOdd = this.#invalidated.get('odd') ?? 0;
    const check = (result: Result): void => {
      expect(result.key).toBe(`${key}`);
      expect(result.begun).toBeGreaterThanOrEqual(since);
      if (this.#hasTags && result.tag === 'odd')
        expect(result.begun).toBeGreaterThanOrEqual(sinceOdd);
    };
    const got = (result: Result): void => {
      check(result);
      result.isDelivered = true;
    };
    const leased = (lease: SharedLease<Result, void>): void => {
      check(lease.value);
      expect(lease.value.disposals).toBe(0);
      this.#leases.push(lease);
    };
    const caller = new AbortController();
    if (op === 'call with a signal') this.#callers.push(caller);
    const answer =
      op === 'lease'
        ? this.#cache.lease(...args).then(leased)
        : op === 'refresh'
          ? this.#cache.refresh(...args).then(got)
          : op === 'call'
            ? this.#cache(...args).then(got)
            : this.#cache.call(args, { signal: caller.signal }).then(got);
    this.#answers.push(
      answer.catch((error: unknown) => {
        if (!/failed|aborted|did not end/.test(String(error))) this.#broken.push(error);
      }),
    );
  }

  #release(): void {
    const lease = this.#leases.shift();
    if (lease === undefined) return;
    expect(lease.value.disposals).toBe(0);
    lease.release();
  }

  #forget(key: number, forget: () => unknown): void {
    this.#now++;
    for (const [i, other] of KEYS.entries()) {
      if (key < 0 || key === i) this.#invalidated.set(`${other}`, this.#now);
    }
    forget();
  }

  #make(key: Key): Result {
    const result = new Result(`${key}`, ++this.#now);
    this.#results.push(result);
    return result;
  }

  #runForeign(): void {
    const foreign = this.#foreign;
    this.#foreign = null;
    if (foreign !== null) this.#act(foreign.op, KEYS[foreign.key] as Key);
  }
}

test.each([
  { what: 'with tags', hasTags: true, seed: 209 },
  { what: 'without tags', hasTags: false, seed: 202 },
])('random programs keep the promises of the cache, $what', async ({ hasTags, seed }) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
      setting,
      (steps, of) => new Program(of, hasTags).play(steps),
    ),
    { numRuns: 500, seed },
  );
});
