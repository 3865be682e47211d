/**
 * The loads of one cache over its shared level: reads the store, asks the lock and reads the store once more, then has the function
 * called.
 */
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { LoadTokens, ResultOrigin } from '../result-origin.js';
import type { LoadPurpose, SharedLoad, SharedLoadContext } from '../shared-port.js';
import { type Envelope, isOfInvalidation, mayBeLater } from './envelope.js';
import { inTime } from './in-time.js';
import type { Invalidation } from './invalidation.js';
import type { InvalidationOutbox } from './invalidation-outbox.js';
import { AbandonedLoadError } from './load-access.js';
import type { LoadLock } from './load-lock.js';
import { revisionTime } from './revision.js';
import { SharedLoadError } from './shared-load-error.js';
import {
  ageOf,
  type FoundResult,
  lifeLeft,
  type SharedResults,
  TOKEN_KINDS,
} from './shared-results.js';
import { SharedStoreError } from './shared-store-error.js';
import type { WaitBudget } from './wait-budget.js';

/** How many invalidations that take each other's place a load waits for. */
const MAX_WAITS = 3;

/** What the loads use of their shared level. */
export interface SharedLoadsPort {
  readonly results: SharedResults;
  readonly outbox: InvalidationOutbox;
  readonly lock: LoadLock | undefined;
  readonly cache: CacheIdentity;
  readonly counters: CacheCounters;
  readonly report: (error: unknown) => void;
}

/** The loads of one cache. */
export class SharedLoads {
  readonly #port: SharedLoadsPort;
  #isLockFailing = false;

  constructor(port: SharedLoadsPort) {
    this.#port = port;
  }

  /** Whether the last load that found no result in the store goes on without the lock. */
  get isLockFailing(): boolean {
    return this.#isLockFailing;
  }

  /** Gives the result of the store, or what `compute` gives. */
  async getOrCompute(
    load: SharedLoad,
    context: SharedLoadContext,
    purpose: LoadPurpose,
    compute: () => unknown,
  ): Promise<unknown> {
    const { results, outbox, lock, counters, report } = this.#port;
    const budget = results.newBudget();
    load.budget = budget;
    const begin = (): unknown => {
      throwIfEnded(load);
      return compute();
    };
    if (!results.mayAsk(load.key) || (outbox.size > 0 && !(await this.#isReadable(load, budget)))) {
      this.#isLockFailing = true;
      return begin();
    }
    let found = await this.#read(load, purpose, budget);
    if (found.usable === undefined && lock !== undefined) {
      const isLocked = await lock.acquire(load, budget);
      if (!load.hasEnded) this.#isLockFailing = !isLocked;
      if (isLocked) found = await this.#read(load, purpose, budget);
    }
    if (found.usable !== undefined) return this.#use(load, context, found.usable);
    if (!purpose.forced) counters.sharedMisses++;
    context.replacesInvalidated = isInvalidated(purpose.origin, load.tokensRead, found);
    await results.makeTokens(load, budget).catch(report);
    if (found.stale === undefined || purpose.isReplacing || purpose.forced) {
      return this.#compute(load, context, purpose, begin, budget);
    }
    const present = () => this.#presentResult(load, purpose, budget);
    return this.#computeOrStale(load, context, found.stale, begin, present);
  }

  /**
   * Whether the present tokens tell that the result of a load was invalidated since the load began. `hasTags` tells whether the result has
   * tags. Never rejects; false if the store gives no answer.
   */
  async isInvalidated(load: SharedLoad, hasTags: boolean): Promise<boolean> {
    const { results, report } = this.#port;
    const { budget, tokens, tokensRead, revision } = load;
    const before = tokens ?? tokensRead;
    if (budget === undefined || budget.left <= 0) return false;
    if (!results.mayAsk(load.key)) return false;
    const later: SharedLoad = { ...load, tokensRead: undefined };
    await results.readTokens(later, results.newBudget(budget.left)).catch(report);
    const present = later.tokensRead;
    if (present === undefined) return false;
    return TOKEN_KINDS.some((kind) => {
      const now = present[kind];
      const isLater = before === undefined ? isSince(now, revision) : isReplaced(before[kind], now);
      return isLater && (hasTags || kind !== 'tags');
    });
  }

  /**
   * Whether the store has every invalidation of this process that covers a key. Waits for one that is on its way, and for one that has
   * taken its place meanwhile.
   */
  async #isReadable(load: SharedLoad, budget: WaitBudget): Promise<boolean> {
    const { results, outbox } = this.#port;
    for (let waits = 0; waits <= MAX_WAITS; waits++) {
      const pending = outbox.covering('key', load.key);
      if (pending === undefined) return true;
      if (pending.hasFailed || !results.mayInvalidate(pending)) return false;
      if (!(await this.#isAttempted(pending, budget))) return false;
    }
    return false;
  }

  /** Waits for the attempt of an invalidation. False if it takes too long. */
  #isAttempted(pending: Invalidation, budget: WaitBudget): Promise<boolean> {
    return budget
      .spend((millis, time) =>
        inTime(time, () => this.#port.outbox.settled(pending), millis, {
          onLate: () => new SharedStoreError('An invalidation is not confirmed yet.'),
        }),
      )
      .then(
        () => true,
        () => false,
      );
  }

  #read(load: SharedLoad, purpose: LoadPurpose, budget: WaitBudget): Promise<FoundResult> {
    const { results, report } = this.#port;
    return results.read(load, purpose, budget).catch((error: unknown) => {
      report(error);
      return {};
    });
  }

  #use(load: SharedLoad, context: SharedLoadContext, envelope: Envelope): unknown {
    const { cache, counters } = this.#port;
    throwIfEnded(load);
    load.found = true;
    load.revision = envelope.revision;
    context.remaining = lifeLeft(envelope);
    context.age = ageOf(envelope);
    if (envelope.tags !== undefined) context.tags = envelope.tags.map(([tag]) => tag);
    if (envelope.failure !== undefined) {
      counters.sharedFailures++;
      throw new SharedLoadError(cache.name, envelope.failure);
    }
    counters.sharedHits++;
    return envelope.value;
  }

  /** Calls the function. If it fails, notes whether the entry that the load replaces was invalidated meanwhile. */
  async #compute(
    load: SharedLoad,
    context: SharedLoadContext,
    purpose: LoadPurpose,
    compute: () => unknown,
    budget: WaitBudget,
  ): Promise<unknown> {
    try {
      return await compute();
    } catch (error) {
      const { results } = this.#port;
      const { origin } = purpose;
      const isKnown = origin === undefined || context.replacesInvalidated || load.hasEnded;
      if (!isKnown && results.mayAsk(load.key)) {
        const present = { ...load, tokensRead: undefined };
        const found = await this.#read(present, purpose, budget);
        context.replacesInvalidated = isInvalidated(origin, present.tokensRead, found);
      }
      throw error;
    }
  }

  /** Serves a stale result of the store during its stale windows, as an entry of this process would be. */
  async #computeOrStale(
    load: SharedLoad,
    context: SharedLoadContext,
    stale: Envelope,
    compute: () => unknown,
    present: () => Promise<Envelope | undefined>,
  ): Promise<unknown> {
    const { cache, counters } = this.#port;
    const { staleWhileRevalidate, staleIfError } = cache;
    if (staleMillis(stale) < staleWhileRevalidate) return this.#use(load, context, stale);
    try {
      return await compute();
    } catch (error) {
      if (staleMillis(stale) >= staleIfError) throw error;
      const found = await present(); // The stale result may have been invalidated during the load.
      if (found === undefined || staleMillis(found) >= staleIfError) throw error;
      counters.loadFailures++;
      return this.#use(load, context, found);
    }
  }

  /** What the store has for a load that has failed. */
  async #presentResult(
    load: SharedLoad,
    purpose: LoadPurpose,
    budget: WaitBudget,
  ): Promise<Envelope | undefined> {
    const { results, outbox } = this.#port;
    if (load.hasEnded || !results.mayAsk(load.key)) return undefined;
    if (outbox.size > 0 && !(await this.#isReadable(load, budget))) return undefined;
    const { usable, stale } = await this.#read({ ...load }, purpose, budget);
    const result = usable ?? stale;
    return result?.failure === undefined ? result : undefined;
  }
}

/**
 * Whether a result was invalidated, as the present tokens tell, and what the store has. A token that is missing, or that a load has
 * made, tells nothing: the store may have lost the one before it. If the token from before the load is unknown, the time of the present
 * one counts.
 */
function isInvalidated(
  origin: ResultOrigin | undefined,
  present: LoadTokens | undefined,
  { usable, stale }: FoundResult,
): boolean {
  if (origin === undefined || present === undefined) return false;
  const { tokens, revision, hasTags } = origin;
  if ((usable ?? stale)?.revision === revision) return false;
  return TOKEN_KINDS.some((kind) => {
    const before = tokens?.[kind] ?? '';
    const now = present[kind];
    const isLater = before === '' ? isSince(now, revision) : isReplaced(before, now);
    return isLater && (hasTags || kind !== 'tags');
  });
}

/** Whether an invalidation may have made a token since a load began. */
function isSince(token: string, revision: string): boolean {
  return mayBeLater(token, revisionTime(revision));
}

/** Whether an invalidation has put its token in the place of another one. */
function isReplaced(before: string, present: string): boolean {
  return before !== present && isOfInvalidation(present);
}

/** How long ago a result became stale, in milliseconds. */
function staleMillis(result: Envelope): number {
  return -(lifeLeft(result) ?? 0);
}

function throwIfEnded(load: SharedLoad): void {
  if (load.hasEnded) throw new AbandonedLoadError();
}
