/** A cache's figures: those of functools' `cache_info` and of Caffeine's `CacheStats`. */
export interface CacheInfo {
  /** Calls answered by a stored result, fresh or stale, or by a stored failure. */
  readonly hits: number;
  /** Calls that found no result here: they ran the function, or asked the shared level. */
  readonly misses: number;
  /** Calls that were given the promise of a load that was already in flight; neither hits nor misses. */
  readonly joins: number;
  /** `hits` by all calls but the joins; 1 before the first. */
  readonly hitRate: number;
  /** Calls that were given a result past its `ttl`: hits that were revalidated, and failures that it stood in for. */
  readonly staleHits: number;
  /** Runs of the function that brought a result. */
  readonly loads: number;
  /** Runs of the function that threw or rejected. */
  readonly loadFailures: number;
  /** How long all asynchronous loads that have settled took together, in milliseconds. */
  readonly loadMillis: number;
  /** Loads in the background, begun because an entry was stale or older than `refreshAfter`. */
  readonly refreshes: number;
  /** Those of them that failed. */
  readonly refreshFailures: number;
  /** Entries that had to make room, `max` or `maxWeight` being reached. */
  readonly evictions: number;
  /** What they weighed together. */
  readonly evictedWeight: number;
  /** Entries that were found to have outlived their `ttl`. */
  readonly expirations: number;
  /** Entries that went because an object in their key, or with `weakValues` their result, was collected. */
  readonly collected: number;
  /** Results that were disposed of. */
  readonly disposals: number;
  /** Those of them whose disposal threw or rejected. */
  readonly disposeFailures: number;
  /** Misses that the shared level answered; those ran no function. */
  readonly sharedHits: number;
  /** Times that the shared level was asked in vain. */
  readonly sharedMisses: number;
  /** Results that were written to the shared level. */
  readonly sharedWrites: number;
  /** Failures of the shared level, its bus or its lock. No call fails of them. */
  readonly sharedErrors: number;
  /** Loads that a caller could join at this moment. */
  readonly inFlight: number;
  /** Entries stored at this moment, expired ones that nobody has come across included; functools' `currsize`. */
  readonly size: number;
  /** The most that `size` can be; `Infinity` without a bound; functools' `maxsize`. */
  readonly max: number;
  /** What all entries weigh together at this moment; 0 without `weigh`. */
  readonly weight: number;
  /** The most that `weight` can be; `Infinity` without a bound. */
  readonly maxWeight: number;
}
