/// <reference lib="esnext.disposable" preserve="true" />
/** What a memoized function can do besides being called. */
import type { Watchable } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import type { AnyFn } from './memoize-options.js';

/**
 * The members of a memoized function. `delete`, `peek`, `has` and `set` take the function's own arguments. They speak of
 * calls without a receiver; for those of one object say `object.method.peek.call(object, …)`.
 */
export interface Memoized<F extends AnyFn> extends Disposable, Watchable {
  /** The function itself, uncached. */
  readonly wrapped: F;
  /**
   * Forgets the result for these arguments, of whichever receiver unless one is given. A load in flight goes on for
   * those who wait for it; it is not stored, and later callers load anew. True if there was something to forget.
   */
  delete(...args: Parameters<F>): boolean;
  /** Forgets every result, and disowns every load in flight as `delete` does. The counters of `cacheInfo` go on. */
  clear(): void;
  /** What a call would answer from the store; `undefined` if it would load. Counts as no use, neither hit nor miss. */
  peek(...args: Parameters<F>): ReturnType<F> | undefined;
  /** Whether a call would be answered from the store. Counts as no use. */
  has(...args: Parameters<F>): boolean;
  /**
   * Stores `value` as the result for these arguments, in place of any other and of any load in flight. A promise is
   * shared at once and stored when it has fulfilled; if it rejects, nothing is stored.
   */
  set(args: Parameters<F>, value: ReturnType<F>): void;
  /** The cache's figures at this moment. */
  cacheInfo(): CacheInfo;
  /** Forgets everything for good: later calls go to the function, and an observer is told that all entries are gone. */
  [Symbol.dispose](): void;
}
