/** The members of a memoized function. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Watchable } from '../core/probe.js';
import type { SharedLease } from '../scope/shared-lease.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { CacheEventMap } from './cache-events.js';
import type { CacheInfo } from './cache-info.js';
import type { CallOptions } from './call-options.js';
import type { EntryOptions } from './entry-options.js';

/** `T`, or a promise of it if the function returns promises. */
export type AsReturned<F extends AnyFn, T> =
  ReturnType<F> extends PromiseLike<unknown> ? Promise<T> : T;

/** A listener of one event of a function with the arguments `A` and the settled result `V`. */
export type CacheListener<
  E extends keyof CacheEventMap,
  A extends readonly unknown[] = readonly unknown[],
  V = unknown,
> = (payload: CacheEventMap<A, V>[E]) => void;

/**
 * The members of a memoized function. They take the arguments of the function, and are about calls without a receiver. For calls
 * on an object use `Reflect.apply(object.method.peek, object, [...])`.
 */
export interface Memoized<F extends AnyFn> extends Disposable, Watchable {
  /** The original function, without the cache. */
  readonly wrapped: F;
  /**
   * Calls the function with options: with a signal, or for a new result. Unlike `Function.prototype.call` it takes the arguments
   * as an array, and no receiver. Use `Reflect.apply` for a receiver.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `args` is no array.
   */
  call(args: Parameters<F>, options?: CallOptions): ReturnType<F>;
  /**
   * Begins a new load, which sees all that was written before. Its result replaces the stored one, and that of a load in flight.
   * Until then other calls get the stored result, or that of a load in flight in its place. It stays if the load fails.
   */
  refresh(...args: Parameters<F>): ReturnType<F>;
  /**
   * Makes several calls in one turn, and gives their results in order. With `batched` of `tenure/memoize/batch` those that are
   * not stored share one load. Rejects with the first failure; the other results are stored nevertheless.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `lists` is no array of argument lists.
   */
  getMany(lists: readonly Parameters<F>[]): Promise<Settled<F>[]>;
  /**
   * Calls the function and gives a lease on the result. The result is not disposed of before the lease is released, even if it
   * leaves the cache. A result that the cache did not keep is disposed of with its last lease.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) without the option `dispose`.
   */
  lease(...args: Parameters<F>): AsReturned<F, SharedLease<Settled<F>, void>>;
  /**
   * Forgets the result for these arguments: of all receivers, unless one is given. A load in flight goes on for its callers. Its
   * result is not stored, and a later caller begins a new load. Returns whether there was a result or a load.
   */
  delete(...args: Parameters<F>): boolean;
  /**
   * Forgets the results for several argument lists, as `delete` does. Returns for how many there was a result or a load. If the option
   * `key` throws for some lists, the others are forgotten, and the first error is thrown.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `lists` is no array of argument lists.
   */
  deleteMany(lists: readonly Parameters<F>[]): number;
  /** Forgets every result and every load in flight, as `delete` does. The counters of `cacheInfo` go on. */
  clear(): void;
  /**
   * Forgets every result that has one of these tags, and returns how many there were. Such a result of a load in flight is not
   * stored. Callers that came after the invalidation get a newer result.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a tag that is no string.
   */
  invalidateTags(...tags: string[]): number;
  /** The stored result that a call would get; `undefined` if it would load. Counts neither as a hit nor as a miss. */
  peek(...args: Parameters<F>): ReturnType<F> | undefined;
  /** Whether a call would get a stored result. Counts neither as a hit nor as a miss. */
  has(...args: Parameters<F>): boolean;
  /**
   * The argument lists of the results that calls would get; in a cache with a limit and no `policy`, least recently used first. With the
   * option `key`, lists of the one key. Leaves out calls on an object, and keys with a collected object. O(n) for the whole.
   */
  keys(): IterableIterator<Parameters<F> | [key: unknown]>;
  /** The argument lists of {@link keys} with the results: promises if the function returns promises. O(n) for the whole. */
  entries(): IterableIterator<[args: Parameters<F> | [key: unknown], result: ReturnType<F>]>;
  /**
   * Stores `value` as the result for these arguments. It replaces the stored result and a load in flight. Callers can join a
   * promise at once. It is stored when it has fulfilled; if it rejects, nothing is stored.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `args` is no array.
   */
  set(args: Parameters<F>, value: ReturnType<F>, entry?: EntryOptions): void;
  /**
   * Tries all results and invalidations that are pending, and settles when each has reached the shared level or has failed. True
   * if the store and the bus have confirmed all invalidations from before the call. Never rejects: failures go to the option
   * `onError`. True without the option `shared`.
   */
  flush(): Promise<boolean>;
  /** The cache's figures at this moment. O(1). */
  cacheInfo(): CacheInfo;
  /**
   * Adds a listener to an event. A listener that throws is reported on stderr. An event without a listener costs nothing. While
   * `hit` has a listener, all hits take the slow path.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  on<E extends keyof CacheEventMap>(
    event: E,
    listener: CacheListener<E, Parameters<F>, Settled<F>>,
  ): this;
  /** Removes a listener that {@link on} has added. */
  off<E extends keyof CacheEventMap>(
    event: E,
    listener: CacheListener<E, Parameters<F>, Settled<F>>,
  ): this;
  /** Forgets everything for good. Later calls go to the function. An observer is told that all entries are gone. */
  [Symbol.dispose](): void;
}
