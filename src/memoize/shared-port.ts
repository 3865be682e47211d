/** The port to the shared level. The shared level is imported separately, because most caches have none. */
import type { CacheIdentity } from './cache-identity.js';
import type { CacheCounters } from './cache-recorder.js';
import type { ClusterLease } from './cluster-lock.js';
import type { EntryTerms } from './entry-terms.js';
import type { LoadTokens, ResultOrigin } from './result-origin.js';

/** The shared level, as the option `shared` takes it. Made by `sharedCache()` of `tenure/memoize/shared`. */
export interface SharedCache {
  /** @hidden The shared level behind one cache. */
  readonly attach: (
    cache: CacheIdentity,
    counters: CacheCounters,
    local: LocalLevel,
  ) => SharedLevel;
}

/** The cache of this process, as the shared level sees it. */
export interface LocalLevel {
  /** Forgets one result, in this process only. */
  forgetHere(keyArgs: readonly unknown[]): void;
  /** Forgets results by tag, in this process only. */
  forgetTagsHere(tags: readonly string[]): void;
  /** Forgets all results, in this process only. */
  forgetAllHere(): void;
  /** Makes all results stale. */
  markAllStale(): void;
  /** The argument lists of all entries and loads, without those of methods. */
  keysHere(): Iterable<readonly unknown[]>;
  /** The tags of all entries. */
  tagsHere(): Iterable<string>;
}

/** The state of the outside systems of a shared cache. */
export interface SharedState {
  /** `'resting'` while no part of the store gives answers in time: calls go on without it and without the lock. */
  readonly store: 'none' | 'answering' | 'resting';
  /**
   * The share of the store that gives no answers, from 0 to 1, as far as requests have shown: a shard of a cluster, or single
   * keys. Calls go on without it.
   */
  readonly restingShare: number;
  /**
   * The share of the store that answers reads and leaves writes without an answer, from 0 to 1, as far as requests have shown.
   * Results are read from it, and no new ones are shared. After a recovery, the next call that asks the store has it fall to 0.
   */
  readonly restingWriteShare: number;
  /** Whether invalidations of other processes arrive. While they do not, this process does not trust its own entries. */
  readonly bus: 'none' | 'connected' | 'disconnected';
  /** `'failing'` after a load went on without its lock: that failed, or was not asked, because it or the store gave no answers. */
  readonly lock: 'none' | 'working' | 'failing';
  /** Invalidations that the store or the bus has not confirmed yet. They are tried again. */
  readonly pendingInvalidations: number;
}

/** What a load is for, as far as the shared level must know it. */
export interface LoadPurpose {
  /** Whether the caller wants no stored result. */
  readonly forced: boolean;
  /** Whether it replaces an entry that is still fresh. Then only a later write to the store is of use. */
  readonly isEarly: boolean;
  /** Whether it replaces an entry of this process, so that a stale result of the store is of no use. */
  readonly isReplacing: boolean;
  /** Where the entry comes from that it replaces. */
  readonly origin: ResultOrigin | undefined;
}

/** How a load has ended. */
export type LoadOutcome = { readonly value: unknown } | { readonly error: unknown };

/** The shared level, as the cache of this process sees it. */
export interface SharedLevel {
  /** The state of the outside systems. */
  readonly state: SharedState;
  /**
   * Gets a result from the store, or from `compute`, with the cluster's lock if there is one. `keyArgs` is `undefined` for a
   * call that cannot be shared.
   */
  getOrCompute(
    context: SharedLoadContext,
    keyArgs: readonly unknown[] | undefined,
    purpose: LoadPurpose,
    compute: () => unknown,
  ): Promise<unknown>;
  /** Told that a load has ended. `terms` are those on which its outcome was stored in this process, if it was stored. */
  loadEnded(load: SharedLoad, outcome: LoadOutcome, terms: EntryTerms | undefined): void;
  /**
   * Told that another call joins a load. Whether that call has to ask {@link isInvalidated} when the load has ended, because this
   * process may not have been told of an invalidation.
   */
  loadJoined(load: SharedLoad | undefined): boolean;
  /**
   * Whether the store tells that the result of a load that was joined was invalidated since the load began. `terms` are those on which
   * it was stored in this process, if it was stored. Never rejects. False if the store gives no answer, and for a load that goes on: its
   * callers were given the stale result.
   */
  isInvalidated(load: SharedLoad | undefined, terms: EntryTerms | undefined): Promise<boolean>;
  /** How long the entry that was just stored in this process is fresh at most, in milliseconds; 0 for a stale one. */
  freshMillis(context: SharedLoadContext | undefined): number;
  /** When the pause of a key ends after a load in the background has failed, on the cache's clock; 0 without one. */
  pauseOf(load: SharedLoad): number;
  /** Notes a pause. */
  pauseUntil(load: SharedLoad, end: number): void;
  /** The form that a tag has in the store and in messages of other processes. */
  publicForm(tag: string): string;
  /** Told that an entry was stored in this process that came from no load. */
  stored(keyArgs: readonly unknown[]): void;
  /** Invalidates one result in all processes. */
  invalidate(keyArgs: readonly unknown[]): void;
  /** Invalidates one result in all processes, and shares a newer one that `set` was given at a time. Gives the origin of that one. */
  replace(
    keyArgs: readonly unknown[],
    value: unknown,
    terms: EntryTerms | undefined,
    givenAt: number,
  ): ResultOrigin | undefined;
  /** Invalidates the results with one of these tags in all processes. */
  invalidateTags(tags: readonly string[]): void;
  /** Invalidates all results in all processes. */
  invalidateAll(): void;
  /** Tries what is pending, and settles when all has succeeded or failed. True if no invalidation is pending any more. */
  flush(): Promise<boolean>;
  /** Disconnects this cache. */
  end(): void;
}

/** One load, as the shared level sees it. */
export interface SharedLoad {
  /** Its key, in the public form. */
  readonly key: string;
  /** The number of the connection to the bus under which it began. */
  readonly connection: number;
  /** How often this process had invalidated the whole cache when it began. */
  readonly clears: number;
  /** Tells its result from that of every other load; a later one is greater. */
  revision: string;
  /** The tokens before the function ran. Without them, nothing is written. */
  tokens: LoadTokens | undefined;
  /** The tokens that were read last, although they may not be the present ones. */
  tokensRead: LoadTokens | undefined;
  /** The lock that the load holds. */
  lease: ClusterLease | undefined;
  /** When `set` was given its result, by the clock of this computer, in milliseconds; `undefined` for a load. */
  readonly givenAt: number | undefined;
  /** Whether its result came from the store. */
  found: boolean;
  /** How much longer its callers may wait for the store and the lock, in milliseconds; `undefined` before the store is asked. */
  budget: { readonly left: number } | undefined;
  /** Whether calls have joined it that ask the store when it has ended. */
  asksStore: boolean;
  /** What the store has told them. */
  isInvalidated: Promise<boolean> | undefined;
  /** Whether it has ended, which the `hard` limit of its time may do while it waits for the store or the lock. */
  hasEnded: boolean;
}

/** The part of a load's context that the shared level fills in. */
export interface SharedLoadContext {
  /** The load as the shared level sees it. */
  shared: SharedLoad | undefined;
  /** How much longer its result is fresh, in milliseconds, at most; negative for a stale result. */
  remaining: number | undefined;
  /** How old its result is, in milliseconds; `undefined` for a new one. */
  age: number | undefined;
  /** The tags of the result. */
  tags: Iterable<string> | undefined;
  /** Whether the entry that the load replaces was invalidated, as the store tells. It then takes the place of no failure. */
  replacesInvalidated: boolean;
}
