/** Shared values by key: one `RefCounted` for each key, under one capacity. After `RcMap` of Effect. */
/// <reference lib="esnext.disposable" preserve="true" />
import { abortReason } from '../core/abort-reason.js';
import { created, endAutomaticWatch } from '../core/created-components.js';
import { asMapKey } from '../core/map-key.js';
import { aFunction, checkArgument, millis } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { gatheredEnds } from './gathered-ends.js';
import { RefCountedClosedError, RefCountedMapFullError } from './ref-counted-errors.js';
import {
  type AcquireOptions,
  type EndOptions,
  type RefCountedMapOptions,
  resolveRefCountedMapOptions,
  signalOf,
} from './ref-counted-options.js';
import { SharedCell, type ValueContext } from './shared-cell.js';
import type { SharedInstance } from './shared-instance.js';
import type { SharedLease } from './shared-lease.js';
import { ValueOwner } from './value-owner.js';

/**
 * Shared values by key. The first `acquire` of a key creates its value, callers of one key share it, and it is disposed of after
 * its last release, or when it has been idle for `idleMillis`.
 *
 * At `capacity`, a new key evicts the value that has been idle for longest, and its creation waits for that disposal. If no value
 * is idle, `acquire` rejects. Everything that {@link RefCounted} promises for its value holds for the value of each key.
 *
 * Acquiring and releasing are O(1). A new key at capacity is O(capacity).
 *
 * @example
 * ```ts
 * import { RefCountedMap } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const tenants = new RefCountedMap(
 *   (tenant: string) => {
 *     log.push(`open ${tenant}`);
 *     return { tenant, [Symbol.dispose]: () => void log.push(`close ${tenant}`) };
 *   },
 *   { capacity: 2, idleMillis: Infinity },
 * );
 * for (const tenant of ['a', 'b', 'a', 'c']) {
 *   using database = await tenants.acquire(tenant);
 * }
 * log; // => ['open a', 'open b', 'close b', 'open c']
 * [...tenants.keys()]; // => ['a', 'c']
 * await tenants.close();
 * ```
 */
export class RefCountedMap<K, T> implements AsyncDisposable, Watchable {
  readonly #create: (key: K, context: ValueContext) => T | PromiseLike<T>;
  readonly #idleMillis: number | ((key: K) => number);
  readonly #capacity: number;
  readonly #owner: ValueOwner<T>;
  readonly #cells = new Map<K, SharedCell<T>>();
  readonly #keys = new Map<SharedCell<T>, K>();
  /** The cells whose value is idle, the one that has been idle for longest first. */
  readonly #idle = new Set<SharedCell<T>>();
  /** How many creations wait until a value ends. */
  #roomWaits = 0;
  #isClosed = false;

  /**
   * Creates no value yet.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(
    create: (key: K, context: ValueContext) => T | PromiseLike<T>,
    options: RefCountedMapOptions<K, T> = {},
  ) {
    checkArgument('RefCountedMap', 'create', create, aFunction);
    const settings = resolveRefCountedMapOptions(options);
    this.#create = create;
    this.#idleMillis = settings.idleMillis;
    this.#capacity = settings.capacity;
    this.#owner = new ValueOwner<T>('ref-counted-map', settings, (cell) => this.#changed(cell));
    created(this);
  }

  /** How many keys have a value, or one that is being created. O(keys). */
  get size(): number {
    return [...this.keys()].length;
  }

  /** Gives the keys that have a value, or one that is being created, in the order of their first `acquire`. */
  *keys(): Generator<K, undefined, unknown> {
    for (const [key, cell] of this.#cells) if (cell.isOccupied) yield key;
    return undefined;
  }

  /** Whether `key` has a value, or one that is being created. O(1). */
  has(key: K): boolean {
    return this.#cells.get(key)?.isOccupied === true;
  }

  /** Gives how many leases on the current value of `key` are out. O(1). */
  refs(key: K): number {
    return this.#cells.get(key)?.refs ?? 0;
  }

  /**
   * Gives a lease on the value of `key`, and creates the value if there is none. Rejects with what the creation throws, and then
   * leaves nothing behind. A caller whose `signal` aborts leaves with the signal's reason. Creations of two keys that wait for each
   * other's value wait until a `signal` or `acquireTimeoutMillis` ends one of the waits.
   *
   * Rejects with {@link RefCountedMapFullError} (`TENURE_REF_COUNTED_MAP_FULL`) for a new key while `capacity` values are in use,
   * and with {@link RefCountedClosedError} (`TENURE_REF_COUNTED_CLOSED`) after `close`.
   */
  acquire(key: K, options?: AcquireOptions): Promise<SharedLease<T>> {
    try {
      const signal = signalOf('RefCountedMap.acquire', options);
      if (signal?.aborted === true) throw abortReason(signal);
      const cell = this.#cells.get(key) ?? this.#addCell(key);
      try {
        if (this.#isClosed) throw new RefCountedClosedError(this.#owner.label);
        if (!cell.isOccupied) this.#makeRoom();
        return cell.acquire(signal, RefCountedMap.prototype.acquire);
      } finally {
        this.#removeIfVacant(cell);
      }
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes later callers of `key` get a new value. Resolves when all former values of the key have been disposed of, each after its
   * last lease. Rejects with what a disposal throws.
   */
  async invalidate(key: K, options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCountedMap.invalidate', options);
    const cell = this.#cells.get(key);
    cell?.retire();
    await gatheredEnds(cell?.retiredEnds(signal) ?? [], signal);
  }

  /** Starts the idle time of the unused value of `key` again, and makes it the last one to be evicted. O(1). */
  touch(key: K): void {
    const cell = this.#cells.get(key);
    if (cell === undefined) return;
    cell.touch();
    if (this.#idle.delete(cell)) this.#idle.add(cell);
  }

  /**
   * Resolves when no lease is out, and neither a creation nor a disposal is under way. A `dispose` that calls this does not wait for
   * itself, as with {@link close}.
   */
  async idle(options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCountedMap.idle', options);
    const isQuietBut = (ends: ReadonlySet<object>): boolean =>
      [...this.#keys.keys()].every((cell) => cell.isQuietBut(ends));
    await this.#owner.untilQuiet(isQuietBut, signal);
  }

  /**
   * Gives no more leases, and resolves when all values have been disposed of, each after its last lease. Rejects with what a disposal
   * throws, or with an `AggregateError` of several. A `dispose` that calls this does not wait for itself. Where
   * the host has no async context, it has to call it before its first `await`.
   */
  async close(options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCountedMap.close', options);
    this.#isClosed = true;
    const cells = [...this.#cells.values()];
    for (const cell of cells) cell.close();
    await gatheredEnds(
      cells.flatMap((cell) => cell.retiredEnds(signal)),
      signal,
    );
  }

  /** Calls {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Attaches an observer, such as a watchdog, which is told of each value and of each lease.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    return this.#owner.observe(observer, {
      instances: () => this.#instances(),
      stats: () => {
        let leases = 0;
        for (const cell of this.#cells.values()) leases += cell.leases;
        return { values: this.#owner.live, leases };
      },
    });
  }

  *#instances(): IterableIterator<SharedInstance<T>> {
    for (const cell of this.#cells.values()) yield* cell.instances();
  }

  #addCell(given: K): SharedCell<T> {
    const key = asMapKey(given);
    const idleMillis =
      typeof this.#idleMillis === 'function' ? this.#idleMillis(key) : this.#idleMillis;
    checkArgument('RefCountedMap.acquire', 'idleMillis(key)', idleMillis, millis);
    const known = this.#cells.get(key); // The user's function may have acquired the key.
    if (known !== undefined) return known;
    const cell = new SharedCell<T>(this.#owner, {
      idleMillis,
      create: (context) => this.#create(key, context),
      untilRoom: (signal) => this.#untilRoom(signal),
    });
    this.#cells.set(key, cell);
    this.#keys.set(cell, key);
    return cell;
  }

  /** Evicts an idle value if there is no room for a new key. */
  #makeRoom(): void {
    if (this.#cells.size <= this.#capacity || this.size < this.#capacity) return;
    if (!this.#evictIdle()) {
      throw new RefCountedMapFullError(this.#owner.label, this.#capacity);
    }
  }

  /** Waits for the end of a value while as many values exist as may. */
  #untilRoom(signal: AbortSignal): Promise<void> | undefined {
    if (this.#owner.live < this.#capacity) return undefined;
    return this.#waitForRoom(signal);
  }

  async #waitForRoom(signal: AbortSignal): Promise<void> {
    this.#roomWaits++;
    try {
      this.#evictForWaits();
      await this.#owner.until(() => this.#owner.live < this.#capacity, signal);
    } finally {
      this.#roomWaits--;
    }
  }

  /**
   * Evicts an idle value while more creations wait for room than values leave. A creation that was invalidated goes on for its callers
   * beside the keys that `capacity` counts, and one of those keys may have taken its place.
   */
  #evictForWaits(): void {
    const { live, leaving } = this.#owner;
    if (this.#roomWaits > leaving + this.#capacity - live) this.#evictIdle();
  }

  /** Evicts the value that has been idle for longest, or ends a creation that goes on without callers; false if there is neither. */
  #evictIdle(): boolean {
    for (const idle of this.#idle) {
      idle.retire();
      return true;
    }
    for (const cell of this.#keys.keys()) if (cell.giveUpUnwanted()) return true;
    return false;
  }

  #changed(cell: SharedCell<T>): void {
    if (!cell.isIdle) this.#idle.delete(cell);
    else this.#idle.add(cell);
    this.#removeIfVacant(cell);
    this.#evictForWaits();
  }

  #removeIfVacant(cell: SharedCell<T>): void {
    if (!cell.isVacant) return;
    const key = this.#keys.get(cell);
    if (this.#keys.delete(cell)) this.#cells.delete(key as K);
  }
}
