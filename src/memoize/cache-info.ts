/** A cache's figures: those of functools' `cache_info` and of Caffeine's `CacheStats`. */
import type { SharedState } from './shared-port.js';

/** The figures of a cache. */
export interface CacheInfo {
  /** Calls answered by a stored result, fresh or stale, or by a stored failure. */
  readonly hits: number;
  /** Calls that found no result in this cache: they ran the function, or asked the shared level. */
  readonly misses: number;
  /** Calls that got the promise of a load in flight. They are neither hits nor misses. */
  readonly joins: number;
  /** `hits` divided by `hits + misses`; 1 before the first call. */
  readonly hitRate: number;
  /** Calls that got a result past its `ttl`, during a revalidation, or that got one in place of a failure. */
  readonly staleHits: number;
  /** Runs of the function, and promises given to `set`, that brought a result. */
  readonly loads: number;
  /** Runs of the function, and promises given to `set`, that threw or rejected. */
  readonly loadFailures: number;
  /** The time that all settled asynchronous loads took together, in milliseconds. */
  readonly loadMillis: number;
  /** Loads in the background, because an entry was stale or older than `refreshAfter`. */
  readonly refreshes: number;
  /** Loads in the background that failed. */
  readonly refreshFailures: number;
  /** Entries that were evicted because `max` or `maxWeight` was reached. */
  readonly evictions: number;
  /** The weight of all evicted entries together. */
  readonly evictedWeight: number;
  /** Entries that were removed because they had expired. */
  readonly expirations: number;
  /** Entries that left because an object in their key was collected, or, with `weakValues`, their result. */
  readonly collected: number;
  /** Results that were disposed of. */
  readonly disposals: number;
  /** Disposals that threw or rejected. */
  readonly disposeFailures: number;
  /** Misses that the shared level answered. They did not run the function. */
  readonly sharedHits: number;
  /** Misses for which the shared level had no valid result. */
  readonly sharedMisses: number;
  /** Results that were written to the shared level. */
  readonly sharedWrites: number;
  /** Failures of the shared level, its bus or its lock. They make no call fail. */
  readonly sharedErrors: number;
  /**
   * Values in the shared store that are no result of this library, that belong to another key, or that `deserialize` or `validate`
   * of the shared cache did not take. They count as misses.
   */
  readonly sharedRejects: number;
  /** Failures that another process has shared. They did not run the function. */
  readonly sharedFailures: number;
  /** The state of the store, the bus, the lock and the pending invalidations; `undefined` without `shared`. */
  readonly shared: SharedState | undefined;
  /** Loads that a caller can join at this moment. */
  readonly inFlight: number;
  /** Entries stored at this moment; functools' `currsize`. Expired entries count until they are removed. */
  readonly size: number;
  /** The most entries: the option `max`, at most 8,388,608; `Infinity` without `max` and `maxWeight`; functools' `maxsize`. */
  readonly max: number;
  /** The weight of all entries at this moment together; 0 without `weigh`. */
  readonly weight: number;
  /** The option `maxWeight`; `Infinity` without a bound. */
  readonly maxWeight: number;
}
