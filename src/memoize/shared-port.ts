/** The port to the shared level. The shared level is imported separately, because most caches have none. */
import type { CacheIdentity } from './cache-identity.js';
import type { CacheCounters } from './cache-recorder.js';
import type { ClusterLease } from './cluster-lock.js';
import type { EntryTerms } from './entry-terms.js';

/** The shared level, as the option `shared` takes it. Made by `sharedCache()` of `tenure/memoize/shared`. */
export interface SharedCache {
  /** @internal The shared level behind one cache. */
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
}

/** The shared level, as the cache of this process sees it. */
export interface SharedLevel {
  /**
   * Gets a result from the store, or from `compute`, with the cluster's lock if there is one. `keyArgs` is `undefined` for a
   * call that cannot be shared. With `forced`, a stored result is not used.
   */
  getOrCompute(
    context: SharedLoadContext,
    keyArgs: readonly unknown[] | undefined,
    forced: boolean,
    compute: () => unknown,
  ): Promise<unknown>;
  /** Told that a load has ended. `terms` are those on which its result was stored in this process, if it was stored. */
  loadEnded(load: SharedLoad, value: unknown, terms: EntryTerms | undefined): void;
  /** Whether the entry that was just stored in this process must be marked stale. */
  mustMarkStale(load: SharedLoad | undefined): boolean;
  /** Invalidates one result in all processes. */
  invalidate(keyArgs: readonly unknown[]): void;
  /** Invalidates one result in all processes, and shares a newer one. */
  replace(keyArgs: readonly unknown[], value: unknown, terms: EntryTerms | undefined): void;
  /** Invalidates the results with one of these tags in all processes. */
  invalidateTags(tags: readonly string[]): void;
  /** Invalidates all results in all processes. */
  invalidateAll(): void;
  /** Settles when all invalidations and writes so far have succeeded or failed. */
  flush(): Promise<void>;
  /** Disconnects this cache. */
  end(): void;
}

/** The tokens that were present when a load began. `''` stands for a token that was never set. */
export interface Generations {
  readonly key: string;
  readonly cache: string;
  /** Changes with every invalidation of any tag, for loads that do not know their tags yet. */
  readonly tags: string;
}

/** One load, as the shared level sees it. */
export interface SharedLoad {
  /** Its key in the store. */
  readonly key: string;
  /** The number of the connection to the bus under which it began. */
  readonly connection: number;
  /** The tokens before the function ran. Without them, nothing is written. */
  generations: Generations | undefined;
  /** The lock that the load holds. */
  lease: ClusterLease | undefined;
  /** Whether its result came from the store. */
  found: boolean;
}

/** The part of a load's context that the shared level fills in. */
export interface SharedLoadContext {
  /** The load as the shared level sees it. */
  shared: SharedLoad | undefined;
  /** How long the result stays fresh, in milliseconds. */
  ttl: number | undefined;
  /** The tags of the result. */
  tags: Iterable<string> | undefined;
}
