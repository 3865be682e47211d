/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The pool as its users see it: generic-pool's methods, and leases. All work is the keeper's.
 */
import { AlreadyWatchedError } from '../core/errors.js';
import { aFunction, argumentError, checkArgument, integer } from '../core/options.js';
import {
  type EntryPoint,
  type Observation,
  type Observer,
  observe,
  type Watchable,
} from '../core/probe.js';
import type { Keeper } from './keeper.js';
import { grantLease, grantResource, grantUse } from './loan/grant.js';
import type { Lease } from './loan/lease.js';
import { LoanWatch } from './loan/loan-watch.js';
import { type UseContext, useNow, useOnceGranted } from './loan/use-context.js';
import { PoolClosedError } from './pool-errors.js';
import type { PoolEventMap, PoolListener } from './pool-events.js';
import {
  type CloseOptions,
  type LeaseOptions,
  resolveCloseOptions,
  resolveLimits,
} from './pool-options.js';
import type { LoanInfo, PoolStats } from './pool-stats.js';

/** What methods return that have nothing to wait for. */
const DONE: Promise<void> = Promise.resolve();

/**
 * A pool of resources, made by `createPool`. Whoever asks is served in the order of asking, by priority first; nobody
 * who comes later overtakes. Every wait ends: with a resource, or with a typed error.
 */
export class Pool<T> implements AsyncDisposable, Watchable {
  readonly #keeper: Keeper<T>;

  /** @internal */
  constructor(keeper: Keeper<T>) {
    this.#keeper = keeper;
  }

  /**
   * Lends a resource until the lease is released: the safest way to hold one across calls, since only the lease can
   * release it, and `using` does so on every path. One promise and no timer when a resource is idle; O(1).
   *
   * Rejects with {@link AcquireTimeoutError}, {@link CreateError}, {@link PoolClosedError}, {@link PoolFullError}, or
   * with the signal's reason.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: () => ({ name: 'a' }), destroy: () => {} }, { max: 1 });
   * const lease = await pool.lease({ timeoutMillis: 1_000 });
   * try {
   *   lease.resource.name; // => 'a'
   * } finally {
   *   lease.release();
   * }
   * await pool.close();
   * ```
   */
  lease(options?: LeaseOptions): Promise<Lease<T>> {
    const keeper = this.#keeper;
    const slot = options === undefined ? keeper.takeIdle() : null;
    const origin = keeper.origins.isCapturing
      ? keeper.origins.capture(Pool.prototype.lease)
      : undefined;
    return slot === null
      ? keeper.leaseSlowly('lease', grantLease<T>, options, origin)
      : Promise.resolve(grantLease(slot, origin));
  }

  /**
   * Lends a resource if one is idle, needs no validation (`testOnBorrow`), and nobody waits for it; else `undefined`.
   * Never creates one. O(1).
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) once the pool is draining or closed.
   */
  tryLease(): Lease<T> | undefined {
    const keeper = this.#keeper;
    const slot = keeper.takeIdle();
    if (slot === null) return keeper.throwIfClosed();
    const origin = keeper.origins.isCapturing
      ? keeper.origins.capture(Pool.prototype.tryLease)
      : undefined;
    return grantLease(slot, origin);
  }

  /**
   * Calls `fn` with a resource and takes it back when `fn` is done, whether it returned, threw or rejected; resolves to
   * what `fn` returned. An error of `fn` says nothing about the resource, so it is kept (generic-pool destroys it): call
   * `context.discard()` when it is broken. `fn` is called at once if a resource is idle.
   *
   * Rejects as {@link Pool.lease} does, and with what `fn` threw.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: () => ({ add: (a: number, b: number) => a + b }), destroy: () => {} });
   * await pool.use((calculator) => calculator.add(1, 2)); // => 3
   * await pool.close();
   * ```
   */
  use<R>(
    fn: (resource: T, context: UseContext<T>) => R,
    options?: LeaseOptions | number,
  ): Promise<Awaited<R>> {
    const error = argumentError('use', 'fn', fn, aFunction);
    if (error !== undefined) return Promise.reject(error);
    const keeper = this.#keeper;
    const slot = options === undefined ? keeper.takeIdle() : null;
    const origin = keeper.origins.isCapturing
      ? keeper.origins.capture(Pool.prototype.use)
      : undefined;
    return slot === null
      ? useOnceGranted(keeper.leaseSlowly('use', grantUse<T>, options, origin), fn, options)
      : useNow(grantUse(slot, origin), fn);
  }

  /**
   * Lends a bare resource, as generic-pool does; give it back with `release(resource)` or `destroy(resource)`. Takes a
   * priority or options. Rejects as {@link Pool.lease} does.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: async () => ({ id: 1 }), destroy: async () => {} });
   * const resource = await pool.acquire();
   * pool.borrowed; // => 1
   * await pool.release(resource);
   * pool.borrowed; // => 0
   * await pool.close();
   * ```
   */
  acquire(options?: LeaseOptions | number): Promise<T> {
    const keeper = this.#keeper;
    const slot = options === undefined ? keeper.takeIdle() : null;
    const origin = keeper.origins.isCapturing
      ? keeper.origins.capture(Pool.prototype.acquire)
      : undefined;
    return slot === null
      ? keeper.leaseSlowly('acquire', grantResource<T>, options, origin)
      : Promise.resolve(grantResource(slot, origin));
  }

  /**
   * Takes back what `acquire()` lent, at once; settles when it has been reset and validated, where the pool does so.
   * Rejects with {@link ReleaseError}, and changes nothing, if the resource is not out by `acquire()`. O(1).
   */
  release(resource: T): Promise<void> {
    const keeper = this.#keeper;
    const slot = keeper.stock.slots.acquired(resource);
    if (slot === undefined) {
      return Promise.reject(this.#explain(resource, Pool.prototype.release));
    }
    if (slot.tracking !== null) slot.noteEnd(Pool.prototype.release);
    return keeper.takeBack(slot) ?? DONE;
  }

  /**
   * Takes back what `acquire()` lent and destroys it; settles when it is gone. Rejects with {@link ReleaseError}, and
   * changes nothing, if the resource is not out by `acquire()`. A failure to destroy is a `factoryDestroyError` event.
   */
  destroy(resource: T): Promise<void> {
    const keeper = this.#keeper;
    const slot = keeper.stock.slots.acquired(resource);
    if (slot === undefined) {
      return Promise.reject(this.#explain(resource, Pool.prototype.destroy));
    }
    if (slot.tracking !== null) slot.noteEnd(Pool.prototype.destroy);
    return keeper.discard(slot, 'discarded');
  }

  /** True while somebody holds the resource, by whatever call. O(1). */
  isBorrowedResource(resource: T): boolean {
    return this.#keeper.stock.slots.isBorrowed(resource);
  }

  /** Fills the pool up to `min`; the first lease does the same. Needed only with `autostart: false`. */
  start(): void {
    this.#keeper.start();
  }

  /**
   * Starts the pool and settles when `min` resources are there. Rejects with {@link CreateError} when one of them
   * cannot be created (the pool goes on trying, and `ready` may be called again), and with {@link PoolClosedError}.
   */
  ready(): Promise<void> {
    return this.#whenThere(this.#keeper.settings.min);
  }

  /**
   * Creates resources ahead of a load, until there are `count` of them (all that `max` allows, by default), and settles
   * when they are there. They are not kept beyond their idle time: `min` does that. Rejects as {@link Pool.ready} does.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: async () => ({}), destroy: () => {} }, { max: 8 });
   * await pool.warmUp(3);
   * pool.available; // => 3
   * await pool.close();
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) unless `count` is an integer from 1 to `max`.
   */
  warmUp(count: number = this.#keeper.settings.max): Promise<void> {
    checkArgument('warmUp', 'count', count, integer(1, this.#keeper.settings.max));
    return this.#whenThere(count);
  }

  #whenThere(count: number): Promise<void> {
    const keeper = this.#keeper;
    keeper.start();
    return keeper.state === 'open'
      ? keeper.creator.whenReady(count)
      : Promise.reject(new PoolClosedError(keeper.name, keeper.state));
  }

  /**
   * Lends nothing more to those who come now, serves those who wait, and settles when everything has come back: without
   * a limit of time, as in generic-pool. Follow it with `clear()`, or use `close()` instead of both.
   */
  drain(): Promise<void> {
    this.#keeper.drain();
    return this.#keeper.shutdown.whenReturned();
  }

  /**
   * Destroys all idle resources, those being created included, and settles when they are gone. What is out stays out.
   * Unless the pool is draining, it fills up to `min` again.
   */
  clear(): Promise<void> {
    return this.#keeper.shutdown.clear();
  }

  /**
   * Closes the pool: who waits or comes later gets {@link PoolClosedError}, what is idle is destroyed at once, what is
   * out when it comes back. Settles when everything is gone, at the latest after the grace and one
   * `destroyTimeoutMillis`.
   *
   * What is still out after the grace is reported: as a `leasesOut` event, and by a rejection with
   * {@link LeasesOutError} (`TENURE_POOL_LEASES_OUT`); with `force` it is destroyed instead of rejecting. May be called
   * again, also with less patience.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const resolved = resolveCloseOptions(options);
    this.#keeper.closeNow();
    await this.#keeper.shutdown.whenEmpty(resolved);
  }

  /**
   * Changes the limits at once. When there are too many, idle ones are destroyed, and others as they come back: `size` can
   * be above `max` until then. When there is room for more, those who wait are served.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1 });
   * pool.resize({ min: 2, max: 5 });
   * await pool.ready();
   * [pool.available, pool.max]; // => [2, 5]
   * await pool.close();
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for limits that cannot be; then nothing changes.
   */
  resize(limits: { readonly min?: number; readonly max?: number }): void {
    this.#keeper.renewal.resize(resolveLimits(limits, this.#keeper.settings));
  }

  /**
   * Has everything replaced that there is now, after a failover or a change of password, say: what is idle is destroyed at
   * once, what is out when it comes back, what is being created when it is there. Settles when all of it is gone.
   */
  invalidate(): Promise<void> {
    return this.#keeper.renewal.invalidate();
  }

  /** Closes the pool with the default grace. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Calls `listener` on each `event`. There is no event named `error`; a listener that throws is reported on stderr. */
  on<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E>): this {
    this.#keeper.events.on(event, listener);
    return this;
  }

  /** Undoes {@link Pool.on}. */
  off<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E>): this {
    this.#keeper.events.off(event, listener);
    return this;
  }

  /** The pool's figures at this moment. O(1). */
  stats(): PoolStats {
    return this.#keeper.stats();
  }

  /** What is out, longest first. O(n log n). */
  loans(): LoanInfo[] {
    return this.#keeper.stock.loans();
  }

  /** What the pool is called in errors and reports. */
  get name(): string {
    return this.#keeper.name;
  }

  /** How many resources there are in any state, those being created and destroyed included; never more than `max`. */
  get size(): number {
    return this.#keeper.size;
  }

  /** How many resources are idle. */
  get available(): number {
    return this.#keeper.stock.idle.length;
  }

  /** How many resources are out. */
  get borrowed(): number {
    return this.#keeper.counters.borrowed;
  }

  /** How many callers wait. */
  get pending(): number {
    return this.#keeper.waiters.length;
  }

  /** How many more resources `max` allows. */
  get spareResourceCapacity(): number {
    return this.#keeper.spareResourceCapacity;
  }

  /** How many resources are kept warm. */
  get min(): number {
    return this.#keeper.settings.min;
  }

  /** How many resources there may be. */
  get max(): number {
    return this.#keeper.settings.max;
  }

  /** @internal What generic-pool's own tests look at: `null` until the sweep runs. */
  get _scheduledEviction(): unknown {
    return this.#keeper.sweep.timer;
  }

  /** Attaches an observer, such as a watchdog's, and tells it of every resource there is. */
  [observe](observer: Observer): Observation {
    const { origins, name } = this.#keeper;
    if (origins.watch !== null) throw new AlreadyWatchedError(`The pool '${name}'`);
    origins.watch = new LoanWatch(this.#keeper, observer);
    return origins.watch;
  }

  #explain(resource: T, entry: EntryPoint): Error {
    return this.#keeper.stock.slots.releaseError(this.#keeper.name, resource, entry);
  }
}
