/**
 * The public face of a pool: leases, and generic-pool's methods. The engine does the work.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { abortReason } from '../core/abort-reason.js';
import { endAutomaticWatch } from '../core/created-components.js';
import {
  aFunction,
  aName,
  argumentError,
  checkArgument,
  integer,
  resolveOptions,
} from '../core/options.js';
import {
  type EntryPoint,
  type Observation,
  type Observer,
  observe,
  type Watchable,
} from '../core/probe.js';
import { SETTLED } from '../core/settled.js';
import type { ReadyCount } from './creation/ready-waits.js';
import { DEADLINE_OPTIONS, type Deadline, type DeadlineOptions, withDeadline } from './deadline.js';
import type { DestroyReason } from './factory.js';
import { grantLease, grantResource, grantUse } from './loan/grant.js';
import type { Lease } from './loan/lease.js';
import { LoanWatch } from './loan/loan-watch.js';
import { type UseContext, useSlot } from './loan/use-context.js';
import type { PoolEngine } from './pool-engine.js';
import type { PoolEventMap, PoolListener } from './pool-events.js';
import {
  type CloseOptions,
  type LeaseOptions,
  resolveCloseOptions,
  resolveLeaseOptions,
  resolveLimits,
} from './pool-options.js';
import { formatFigures, type LoanInfo, type PoolStats } from './pool-stats.js';
import { invalidateResources, resizePool } from './renewal.js';

/**
 * A pool of resources, made by `createPool`. Callers are served by priority, and in the order of coming within a priority; a
 * later caller never overtakes. Every wait ends with a resource or with a typed error.
 */
export class Pool<T> implements AsyncDisposable, Watchable {
  readonly #engine: PoolEngine<T>;

  /** @internal */
  constructor(engine: PoolEngine<T>) {
    this.#engine = engine;
  }

  /**
   * Lends a resource until the lease is released. Only the lease can release it, and `using` does so on every path. If a
   * resource is idle, it costs one promise and no timer. O(1).
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
    const engine = this.#engine;
    const slot = options === undefined ? engine.takeIdle() : null;
    const origin = engine.origins.isCapturing ? engine.origins.capture(LEASE) : undefined;
    return slot === null
      ? engine.leaseSlowly('lease', grantLease<T>, options, origin)
      : Promise.resolve(grantLease(slot, origin));
  }

  /**
   * Lends a resource if one is idle, needs no validation (`testOnBorrow`, `validateAfterIdleMillis`), and no caller waits for
   * it; else returns `undefined`. Never creates a resource. O(1).
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) once the pool is draining or closed.
   */
  tryLease(): Lease<T> | undefined {
    const engine = this.#engine;
    const slot = engine.takeIdle() ?? engine.takeValidated();
    if (slot === null) return engine.countTryMiss();
    const origin = engine.origins.isCapturing ? engine.origins.capture(TRY_LEASE) : undefined;
    return grantLease(slot, origin);
  }

  /**
   * Calls `fn` with a resource, and takes the resource back when `fn` has returned, thrown or settled. Resolves to what `fn`
   * returned. An error of `fn` says nothing about the resource, so the pool keeps it (generic-pool destroys it): call
   * `context.discard()` when it is broken. `fn` is called at once if a resource is idle.
   *
   * Rejects as {@link Pool.lease} does, and with what `fn` threw. Rejects with {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if
   * `fn` returns a generator: its body would run after the end of the loan.
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
    const engine = this.#engine;
    const slot = options === undefined ? engine.takeIdle() : null;
    const origin = engine.origins.isCapturing ? engine.origins.capture(USE) : undefined;
    if (slot !== null) return useSlot(grantUse(slot, origin), fn);
    if (options === undefined) {
      return useSlot(engine.leaseSlowly('use', grantUse<T>, options, origin), fn);
    }
    try {
      const checked = resolveLeaseOptions('use', options);
      return useSlot(engine.request(grantUse<T>, checked, origin), fn, checked.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Lends a bare resource, as generic-pool does. Give it back with `release(resource)` or `destroy(resource)`. Takes
   * options, or a priority. Rejects as {@link Pool.lease} does.
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
    const engine = this.#engine;
    const slot = options === undefined ? engine.takeIdle() : null;
    const origin = engine.origins.isCapturing ? engine.origins.capture(ACQUIRE) : undefined;
    return slot === null
      ? engine.leaseSlowly('acquire', grantResource<T>, options, origin)
      : Promise.resolve(grantResource(slot, origin));
  }

  /**
   * Takes back a resource that `acquire()` lent, at once. Settles when it has been reset and validated, if the pool does so.
   * Rejects with {@link ReleaseError}, and changes nothing, if `acquire()` has not lent the resource. O(1).
   */
  release(resource: T): Promise<void> {
    const engine = this.#engine;
    const slot = engine.stock.slots.acquired(resource);
    if (slot === undefined) {
      return Promise.reject(this.#explain(resource, Pool.prototype.release));
    }
    if (slot.tracking !== null) slot.noteEnd(Pool.prototype.release);
    return engine.takeBack(slot) ?? SETTLED;
  }

  /**
   * Takes back a resource that `acquire()` lent and destroys it. Settles when it is gone. Rejects with {@link ReleaseError},
   * and changes nothing, if `acquire()` has not lent the resource. A failing `destroy` is a `factoryDestroyError` event.
   */
  destroy(resource: T): Promise<void> {
    const engine = this.#engine;
    const slot = engine.stock.slots.acquired(resource);
    if (slot === undefined) {
      return Promise.reject(this.#explain(resource, Pool.prototype.destroy));
    }
    if (slot.tracking !== null) slot.noteEnd(Pool.prototype.destroy);
    return engine.discard(slot, 'discarded');
  }

  /** Whether a caller holds the resource, by any method. O(1). */
  isBorrowedResource(resource: T): boolean {
    return this.#engine.stock.slots.isBorrowed(resource);
  }

  /** Creates `min` resources, as the first lease does. Needed only with `autostart: false`. */
  start(): void {
    this.#engine.start();
  }

  /**
   * Starts the pool and settles when `min` resources exist. Rejects with {@link CreateError} when one of them cannot be created,
   * with {@link PoolClosedError}, and by its options. The pool goes on trying, and `ready` may be called again. Rejects with
   * {@link WarmUpError} (`TENURE_POOL_WARM_UP`) if `min` is above `maxTotal` of a keyed pool.
   */
  ready(options: DeadlineOptions = {}): Promise<void> {
    return this.#whenReady('ready', 'min', options);
  }

  /**
   * Creates resources before they are needed, until `count` exist, and settles when they do. They are not kept beyond their idle
   * timeout; the option `min` keeps resources. Rejects as {@link Pool.ready} does, and with {@link WarmUpError} while the limit is less
   * than `count`, at the call or after a `resize`, one of `maxTotal` included.
   *
   * `count` is by default as many as may exist: `max`, or `maxTotal` of a keyed pool if that is less.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: async () => ({}), destroy: () => {} }, { max: 8 });
   * await pool.warmUp(3, { timeoutMillis: 5_000 });
   * pool.available; // => 3
   * await pool.close();
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) unless `count` is an integer ≥ 1.
   */
  warmUp(count: number = this.#engine.creator.most, options: DeadlineOptions = {}): Promise<void> {
    checkArgument('warmUp', 'count', count, integer(1));
    return this.#whenReady('warmUp', count, options);
  }

  #whenReady(where: string, count: ReadyCount, options: DeadlineOptions): Promise<void> {
    const engine = this.#engine;
    const deadline = resolveOptions(where, options, DEADLINE_OPTIONS);
    const { signal } = deadline;
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    engine.start();
    const error = engine.closedError();
    if (error !== undefined) return Promise.reject(error);
    let leave = (): void => {};
    const ready = engine.creator.whenReady(count, (stopWaiting) => {
      leave = stopWaiting;
    });
    return this.#until(deadline, ready, where, leave);
  }

  /**
   * Rejects callers that come from now on, serves the waiters, and settles when all resources have come back. It has no
   * time limit unless `options` give one, as in generic-pool. Call `clear()` afterwards, or use `close()` instead of both.
   */
  drain(options: DeadlineOptions = {}): Promise<void> {
    const deadline = resolveOptions('drain', options, DEADLINE_OPTIONS);
    const engine = this.#engine;
    engine.drain();
    return this.#until(deadline, engine.shutdown.whenReturned(), 'drain');
  }

  /**
   * Destroys all idle resources, those being created, validated or reset included, and settles when they are gone, or by its options.
   * Borrowed resources stay. Unless the pool is draining, it creates `min` resources again.
   */
  clear(options: DeadlineOptions = {}): Promise<void> {
    const deadline = resolveOptions('clear', options, DEADLINE_OPTIONS);
    return this.#until(deadline, this.#engine.shutdown.clear(), 'clear');
  }

  /**
   * Lends and creates nothing until {@link Pool.resume}: during a failover, say. Callers wait, and their timeouts go on. Borrowed
   * resources can be used and come back.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: () => ({}), destroy: () => {} });
   * pool.pause();
   * const lease = pool.lease();
   * pool.pending; // => 1
   * pool.resume();
   * (await lease).release();
   * await pool.close();
   * ```
   */
  pause(): void {
    this.#engine.pause();
  }

  /** Ends {@link Pool.pause}: serves the waiters. */
  resume(): void {
    this.#engine.resume();
  }

  /**
   * Closes the pool. Waiters and later callers are rejected with {@link PoolClosedError}. Idle resources are destroyed at
   * once, borrowed ones when they come back. Settles when all are gone, at the latest after the grace and one
   * `destroyTimeoutMillis`.
   *
   * Loans that are still out after the grace are reported: by a `leasesOut` event, and by a rejection with
   * {@link LeasesOutError} (`TENURE_POOL_LEASES_OUT`). With `force`, their resources are destroyed instead of the rejection.
   * `close` may be called again, also with a shorter grace.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const resolved = resolveCloseOptions(options);
    this.#engine.close();
    await this.#engine.shutdown.whenEmpty(resolved);
  }

  /**
   * Changes the limits at once. Resources beyond `max` are destroyed: idle ones now, borrowed ones when they come back, so
   * `size` can be above `max` until then. If more may be created now, waiters are served.
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
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for malformed limits; then nothing changes.
   */
  resize(limits: { readonly min?: number; readonly max?: number }): void {
    const engine = this.#engine;
    resizePool(engine, resolveLimits(limits, engine.settings));
  }

  /**
   * Replaces all present resources, after a failover or a change of password, for example. Idle ones are destroyed at once, borrowed
   * ones when they come back, those being created when they are there. Settles when all of them are gone, or by its options.
   */
  invalidate(options: DeadlineOptions = {}): Promise<void> {
    const deadline = resolveOptions('invalidate', options, DEADLINE_OPTIONS);
    return this.#until(deadline, invalidateResources(this.#engine), 'invalidate');
  }

  /** Follows the promise of the method `where` until the deadline. */
  #until(
    deadline: Deadline,
    promise: Promise<void>,
    where: string,
    onLeave?: () => void,
  ): Promise<void> {
    const figures = (): string => formatFigures(this.stats(), this.loans());
    return withDeadline(promise, deadline, this.#engine.settings, where, figures, onLeave);
  }

  /**
   * Destroys the resources for which `isChosen` answers true: idle ones at once, borrowed ones when they come back. Returns how
   * many there are. `reason` is handed to the factory's `destroy`; after `'broken'`, for a resource that was never lent, the factory has a
   * pause as after a failure. Throws what `isChosen` throws; the resources that it was asked
   * about before are evicted. O(size).
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * let host = 'old';
   * const pool = createPool({ create: () => ({ host }), destroy: () => {} });
   * await pool.warmUp(2);
   * host = 'new';
   * pool.evict((connection) => connection.host === 'old'); // => 2
   * await pool.use((connection) => connection.host); // => 'new'
   * await pool.close();
   * ```
   */
  evict(isChosen: (resource: T) => boolean, reason: DestroyReason = 'evicted'): number {
    checkArgument('evict', 'isChosen', isChosen, aFunction);
    checkArgument('evict', 'reason', reason, aName);
    return this.#engine.stock.evictWhere(isChosen, reason);
  }

  /** Closes the pool with the default grace. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Adds a listener to an event. There is no event named `error`. A listener that throws is reported on stderr.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  on<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this {
    this.#engine.events.on(event, listener as PoolListener<E>);
    this.#engine.listenersChanged();
    return this;
  }

  /** Removes a listener that {@link Pool.on} has added. */
  off<E extends keyof PoolEventMap>(event: E, listener: PoolListener<E, T>): this {
    this.#engine.events.off(event, listener as PoolListener<E>);
    this.#engine.listenersChanged();
    return this;
  }

  /** The pool's figures at this moment. O(1). */
  stats(): PoolStats {
    return this.#engine.stats();
  }

  /** The loans that are out, longest first. O(n log n). */
  loans(): LoanInfo[] {
    return this.#engine.stock.loans();
  }

  /** The name in errors and reports. */
  get name(): string {
    return this.#engine.name;
  }

  /** Resources in any state, those being created and destroyed included. Above `max` only for a while after `resize`. */
  get size(): number {
    return this.#engine.capacity.size;
  }

  /** Idle resources. */
  get available(): number {
    return this.#engine.stock.idle.length;
  }

  /** Resources that callers hold. */
  get borrowed(): number {
    return this.#engine.counters.borrowed;
  }

  /** Callers that wait. */
  get pending(): number {
    return this.#engine.waiters.length;
  }

  /** How many more resources may be created; below 0 while `size` is above the limit. */
  get spareResourceCapacity(): number {
    return this.#engine.capacity.spare;
  }

  /** The option `min`: resources that are kept warm. */
  get min(): number {
    return this.#engine.settings.min;
  }

  /** The option `max`: the most resources that may exist. */
  get max(): number {
    return this.#engine.settings.max;
  }

  /** @internal For generic-pool's own tests: `null` until the sweep runs. */
  get _scheduledEviction(): unknown {
    return this.#engine.sweep.timer;
  }

  /** Attaches an observer, such as a watchdog, and tells it of every present resource. */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    const { origins } = this.#engine;
    origins.watch?.dropEnded();
    origins.watch ??= new LoanWatch(this.#engine, observer);
    return origins.watch.attach(observer);
  }

  #explain(resource: T, entry: EntryPoint): Error {
    return this.#engine.stock.slots.releaseError(this.#engine.name, resource, entry, (misuse) =>
      this.#engine.origins.watch?.misused(misuse),
    );
  }
}

/** The methods that lend, which are named in the stacks of their callers. To read one from the class takes a fifth of a loan. */
const { lease: LEASE, tryLease: TRY_LEASE, use: USE, acquire: ACQUIRE } = Pool.prototype;
