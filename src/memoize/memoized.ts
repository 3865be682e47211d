/** The members of a memoized function. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Watchable } from '../core/probe.js';
import type { SharedLease } from '../scope/shared-value.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { CacheEventMap } from './cache-events.js';
import type { CacheInfo } from './cache-info.js';
import type { CallOptions } from './call-options.js';
import type { EntryOptions } from './entry-options.js';

/** `T`, or a promise of it if the function returns promises. */
export type AsReturned<F extends AnyFn, T> =
  ReturnType<F> extends PromiseLike<unknown> ? Promise<T> : T;

/** Called when something happens in the cache of a memoized function. */
export type CacheListener<E extends keyof CacheEventMap> = (payload: CacheEventMap[E]) => void;

/**
 * The members of a memoized function. They take the function's own arguments, and are about calls without a receiver. For
 * calls on an object write `object.method.peek.call(object, …)`.
 */
export interface Memoized<F extends AnyFn> extends Disposable, Watchable {
  /** The function itself, uncached. */
  readonly wrapped: F;
  /**
   * Calls the function with a signal, or for a fresh result. Unlike `Function.prototype.call` it takes no receiver: use
   * `Reflect.apply` for that.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `args` is no array.
   */
  call(args: Parameters<F>, options?: CallOptions): ReturnType<F>;
  /**
   * Loads anew, or joins a load in flight, and stores the result in place of the present one. The present result is served
   * meanwhile, and stays if the load fails.
   */
  refresh(...args: Parameters<F>): ReturnType<F>;
  /**
   * A lease on a result: the result is not disposed of before the lease is released, even if it leaves the cache. A result
   * that the cache did not keep is disposed of with its last lease.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) without the option `dispose`.
   */
  lease(...args: Parameters<F>): AsReturned<F, SharedLease<Settled<F>>>;
  /**
   * Forgets the result for these arguments, of all receivers unless one is given. A load in flight goes on for its callers; its
   * result is not stored, and later callers load anew. True if there was something to forget.
   */
  delete(...args: Parameters<F>): boolean;
  /** Forgets every result, and disowns every load in flight as `delete` does. The counters of `cacheInfo` go on. */
  clear(): void;
  /**
   * Forgets every result that has one of these tags, and returns how many there were. A load in flight that brings such
   * a result is not stored, and callers that came after the invalidation get a newer result.
   */
  invalidateTags(...tags: string[]): number;
  /** What a call would get from the store; `undefined` if it would load. Counts neither as a hit nor as a miss. */
  peek(...args: Parameters<F>): ReturnType<F> | undefined;
  /** Whether a call would get a stored result. Counts neither as a hit nor as a miss. */
  has(...args: Parameters<F>): boolean;
  /**
   * Stores `value` as the result for these arguments, in place of the present result and of any load in flight. A promise is
   * shared at once, and stored when it has fulfilled; if it rejects, nothing is stored.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `args` is no array.
   */
  set(args: Parameters<F>, value: ReturnType<F>, entry?: EntryOptions): void;
  /**
   * Settles when everything invalidated or stored so far has reached the shared level, or has failed to, which `onError` was
   * told. Settles at once without the option `shared`.
   */
  flush(): Promise<void>;
  /** The cache's figures at this moment. */
  cacheInfo(): CacheInfo;
  /**
   * Adds a listener to an event; a listener that throws is reported on stderr. While an event has no listener it costs nothing.
   * With a listener of `hit`, each hit takes the slow path.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  on<E extends keyof CacheEventMap>(event: E, listener: CacheListener<E>): this;
  /** Removes a listener that {@link on} has added. */
  off<E extends keyof CacheEventMap>(event: E, listener: CacheListener<E>): this;
  /** Forgets everything for good: later calls go to the function, and an observer is told that all entries are gone. */
  [Symbol.dispose](): void;
}
