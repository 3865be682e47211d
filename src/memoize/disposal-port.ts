/** The port to the disposal of results. Disposal is imported separately, because most caches do not need it. */

import type { Origin } from '../core/probe.js';
import type { CacheIdentity } from './cache-identity.js';
import type { CacheCounters } from './cache-recorder.js';
import type { CacheWatch } from './cache-watch.js';
import type { Key, KeyRef } from './keys/key-trie.js';
import type { RemovalCause } from './stores/store.js';

/** Called with a result that has left the cache and is no longer leased. */
export type DisposeCallback<V, K> = (value: V, key: K | undefined, cause: RemovalCause) => unknown;

/** The disposal of results, as the option `dispose` takes it. Made by `disposal()` of `tenure/memoize/disposal`. */
export interface Disposal<V, K> {
  /** Called for each result; without it, the result's own `[Symbol.dispose]` or `[Symbol.asyncDispose]` is called. */
  readonly onDispose: DisposeCallback<V, K> | undefined;
  /** @hidden The disposals of one cache. */
  readonly attach: (cache: CacheIdentity, counters: CacheCounters) => Disposals;
}

/** A load, as its disposals see it. */
export interface SettledLoad {
  readonly key: Key;
  /** Whether a caller gets the result. */
  readonly hasCaller: boolean;
}

/** The disposals of one cache. It is told of the cache's entries and loads, and disposes of each result once. */
export interface Disposals {
  /** The observer's watch over the cache, while there is one. */
  watch: CacheWatch | null;
  /** Told that an entry holds `value` from now on. */
  entryAdded(ref: KeyRef, value: unknown): void;
  /** Told that an entry has left the cache. Its result is disposed of by the next {@link disposeUnused}. */
  entryRemoved(ref: KeyRef, cause: RemovalCause): void;
  /** Told that all entries have left the cache. */
  allRemoved(): void;
  /** Disposes of the results that neither an entry nor a lease holds. Call it when the store is consistent again. */
  disposeUnused(): void;
  /** Whether a result has been disposed of. False for a primitive. */
  isDisposed(value: unknown): boolean;
  /** Told that a load has brought `value`, whether it is stored or not. A value that is not stored and has no caller is disposed of. */
  loadSettled(load: SettledLoad, value: unknown): void;
  /** Gives a lease on a result, or a promise of one. `origin` is the caller, if the cache is watched. */
  lease(
    cache: never,
    receiver: unknown,
    args: readonly unknown[],
    origin: Origin | undefined,
  ): unknown;
}
