/** The counters behind `cacheInfo`, which only ever go up; hits are counted by `FastState`. */
import type { RemovalCause } from './stores/store.js';

/** What has happened in a cache. */
export class CacheCounters {
  misses = 0;
  joins = 0;
  staleHits = 0;
  loads = 0;
  loadFailures = 0;
  loadMillis = 0;
  refreshes = 0;
  refreshFailures = 0;
  evictions = 0;
  evictedWeight = 0;
  expirations = 0;
  collected = 0;
  disposals = 0;
  disposeFailures = 0;
  sharedHits = 0;
  sharedMisses = 0;
  sharedWrites = 0;
  sharedErrors = 0;

  /** An entry has gone. */
  removed(cause: RemovalCause, weight: number): void {
    if (cause === 'size') {
      this.evictions++;
      this.evictedWeight += weight;
    } else if (cause === 'expired') this.expirations++;
    else if (cause === 'collected') this.collected++;
  }
}
