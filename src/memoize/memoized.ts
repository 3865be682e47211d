/// <reference lib="esnext.disposable" preserve="true" />
/** What a memoized function can do besides being called. */
import type { Watchable } from '../core/probe.js';
import type { SharedLease } from '../scope/shared-value.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { CacheInfo } from './cache-info.js';
import type { CallOptions } from './call-options.js';
import type { DumpedEntry } from './dump.js';
import type { EntryOptions } from './entry-options.js';

/** `T`, or a promise of it if the function returns promises. */
export type AsReturned<F extends AnyFn, T> =
  ReturnType<F> extends PromiseLike<unknown> ? Promise<T> : T;

/**
 * The members of a memoized function. They take the function's own arguments and speak of calls without a receiver; for
 * those of one object say `object.method.peek.call(object, …)`.
 */
export interface Memoized<F extends AnyFn, K = unknown> extends Disposable, Watchable {
  /** The function itself, uncached. */
  readonly wrapped: F;
  /** Calls the function as one who may leave, or who wants no stored result. */
  call(args: Parameters<F>, options?: CallOptions): ReturnType<F>;
  /** What `Function.prototype.call` does, for any receiver but an array. */
  call(receiver: ThisParameterType<F>, ...args: Parameters<F>): ReturnType<F>;
  /**
   * Loads anew, or joins a load in flight, and stores the result in place of what is there, which is served meanwhile and
   * stays if the load fails.
   */
  refresh(...args: Parameters<F>): ReturnType<F>;
  /**
   * A result that is not disposed of before the lease has been given back, even if it leaves the cache. A result that
   * the cache did not keep is disposed of with its last lease.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) without the option `dispose`.
   */
  lease(...args: Parameters<F>): AsReturned<F, SharedLease<Settled<F>>>;
  /**
   * Forgets the result for these arguments, of whichever receiver unless one is given. A load in flight goes on for
   * those who wait for it; it is not stored, and later callers load anew. True if there was something to forget.
   */
  delete(...args: Parameters<F>): boolean;
  /** Forgets every result, and disowns every load in flight as `delete` does. The counters of `cacheInfo` go on. */
  clear(): void;
  /**
   * Forgets every result that has one of these tags, and returns how many there were. A load in flight that brings such
   * a result is not stored, and those who called after the invalidation get a newer one.
   */
  invalidateTags(...tags: string[]): number;
  /** What a call would answer from the store; `undefined` if it would load. Counts as no use, neither hit nor miss. */
  peek(...args: Parameters<F>): ReturnType<F> | undefined;
  /** Whether a call would be answered with a stored result. Counts as no use. */
  has(...args: Parameters<F>): boolean;
  /**
   * Stores `value` as the result for these arguments, in place of any other and of any load in flight. A promise is
   * shared at once and stored when it has fulfilled; if it rejects, nothing is stored.
   */
  set(args: Parameters<F>, value: ReturnType<F>, entry?: EntryOptions): void;
  /**
   * Resolves when everything invalidated or stored so far has reached the option `store` and has been published on the
   * option `bus`, or has failed to, which `onError` was told. At once without them.
   */
  flush(): Promise<void>;
  /** The cache's figures at this moment. */
  cacheInfo(): CacheInfo;
  /**
   * The fresh results with their arguments, least recently used first, for {@link load}; a promise of them if the
   * function returns promises. Those of methods and of collected objects are left out. O(n).
   */
  dump(): AsReturned<F, DumpedEntry<DumpedArgs<F, K>, Settled<F>>[]>;
  /** Stores results that another cache of the same function and `key` has dumped. The time in between does not count. */
  load(entries: Iterable<DumpedEntry<DumpedArgs<F, K>, Settled<F>>>): void;
  /** Forgets everything for good: later calls go to the function, and an observer is told that all entries are gone. */
  [Symbol.dispose](): void;
}

/** What stands for the arguments in a dump: they themselves, or the key that the option `key` made of them. */
export type DumpedArgs<F extends AnyFn, K> = unknown extends K
  ? Parameters<F>
  : Parameters<F> | [K];
