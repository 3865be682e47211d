/** The events of a memoized function. While an event has no listener it costs nothing, hits included. */
import type { RemovalCause } from './stores/store.js';

/** A call that the cache answered, or could not answer. */
export interface CallEvent<A extends readonly unknown[] = readonly unknown[]> {
  /** The arguments of the call. */
  readonly args: A;
}

/** A run of the function, or a promise given to `set`, that brought a result. */
export interface LoadEvent<V = unknown> {
  /** The result, settled. */
  readonly value: V;
  /** How long the load took, in milliseconds; 0 for a synchronous function. */
  readonly millis: number;
}

/** A run of the function, or a promise given to `set`, that failed. */
export interface LoadErrorEvent {
  /** What it threw, or rejected with. */
  readonly error: unknown;
}

/** An entry that was evicted, has expired, or was collected. */
export interface EvictEvent {
  /**
   * The arguments of the entry, or a list of the one key that the option `key` made of them. `undefined` if an object in them
   * was collected.
   */
  readonly args: readonly unknown[] | undefined;
  /** Why it left: `size`, `expired` or `collected`. */
  readonly cause: RemovalCause;
}

/** The payload of each event of a function with the arguments `A` and the settled result `V`. */
export interface CacheEventMap<A extends readonly unknown[] = readonly unknown[], V = unknown> {
  /** A call was answered by a stored result. */
  hit: CallEvent<A>;
  /** A call found no result in this cache: it runs the function, or asks the shared level. */
  miss: CallEvent<A>;
  /** A call was answered by a result past its `ttl`. There is no `hit` event for this call. */
  stale: CallEvent<A>;
  /** A load brought a result. */
  load: LoadEvent<V>;
  /** A load failed. */
  error: LoadErrorEvent;
  /** An entry was evicted, has expired, or was collected. Not emitted for `delete`, `clear`, `set` or a replacement. */
  evict: EvictEvent;
}

/** The names of all events. */
export const CACHE_EVENTS: readonly (keyof CacheEventMap)[] = [
  'hit',
  'miss',
  'stale',
  'load',
  'error',
  'evict',
];
