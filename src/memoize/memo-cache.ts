/**
 * The cache behind one memoized function: the store of settled results, and beside it the loads in flight.
 *
 * ```
 *   call ──▶ key ──▶ store ──hit──▶ result
 *                      │ miss
 *                      ▼
 *                   in flight? ──yes──▶ the same promise (join)
 *                      │ no
 *                      ▼
 *                    load ──▶ still current? ──yes──▶ store
 * ```
 *
 * A load in flight lives outside of the store, so that no eviction can take it from its callers, and carries its own
 * token, `Load.current`. `delete`, `clear` and `set` take the token away: those who wait get what they asked for, but a
 * value computed before the invalidation is never served after it. The same holds for synchronous loads, which can be
 * overtaken by what the function itself calls; they are chained by `outer` instead of being filed.
 *
 * Callers are given the promise that follows the bookkeeping, so whoever sees a load settle sees the cache after it, and
 * a rejection that nobody handles is still reported by the host.
 */
import { AlreadyWatchedError } from '../core/errors.js';
import type { Observation, Observer } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import { CacheWatch, type WatchedCache } from './cache-watch.js';
import { Entry, resultIn, type Slot, slotOf } from './entry.js';
import { isObject } from './key-level.js';
import { type Handle, handleOf, type Key, KeyTrie, release } from './key-trie.js';
import { Load } from './load.js';
import { LruStore } from './lru-store.js';
import { MapStore } from './map-store.js';
import type { AnyFn, MemoizeSettings } from './memoize-options.js';
import type { OnRemoved, RemovalCause, Store } from './store.js';

/** A function as the cache calls it. */
type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** Results of one function by its arguments. */
export class MemoCache implements WatchedCache {
  readonly settings: MemoizeSettings;
  readonly store: Store;
  /** Counted here by the fast paths too. */
  hits = 0;
  #trie = new KeyTrie();
  readonly #fn: Callable;
  readonly #keyOf: Callable | undefined;
  readonly #flights = new Map<Key, Load>();
  /** The innermost load whose synchronous part is running. */
  #running: Load | undefined = undefined;
  #watch: CacheWatch | null = null;
  #disposed = false;
  #misses = 0;
  #joins = 0;
  #loads = 0;
  #loadFailures = 0;
  #evictions = 0;
  #expirations = 0;
  #collected = 0;

  constructor(fn: AnyFn, settings: MemoizeSettings) {
    this.settings = settings;
    this.#fn = fn as Callable;
    this.#keyOf = settings.key as Callable | undefined;
    const onRemoved: OnRemoved = (handle, _slot, cause) => this.#removed(handle, cause);
    this.store =
      settings.max === Number.POSITIVE_INFINITY
        ? new MapStore(onRemoved)
        : new LruStore(settings.max, onRemoved);
  }

  get name(): string {
    return this.settings.name;
  }

  /** The argument lists that are known; another object after `clear`. */
  get trie(): KeyTrie {
    return this.#trie;
  }

  /** The stored result, the promise of the load in flight, or a new load's result. */
  call(receiver: unknown, ...args: readonly unknown[]): unknown {
    if (this.#disposed) return Reflect.apply(this.#fn, receiver, args);
    const keyArgs = this.#keyArgs(receiver, args);
    const known = this.#trie.find(receiver, keyArgs);
    if (known !== undefined) {
      const slot = this.#fresh(known, this.store.get(known));
      if (slot !== undefined) {
        this.hits++;
        return resultIn(slot);
      }
      const flight = this.#flights.get(known);
      if (flight !== undefined) {
        this.#joins++;
        return flight.promise;
      }
    }
    this.#misses++;
    return this.#load(receiver, args, this.#trie.intern(receiver, keyArgs));
  }

  /** What is stored, unused; `undefined` for nothing. */
  peek(receiver: unknown, args: readonly unknown[]): Slot {
    const key = this.#trie.find(receiver, this.#keyArgs(receiver, args));
    return key === undefined ? undefined : this.#fresh(key, this.store.peek(key));
  }

  /** Stores a result that was not loaded. */
  set(receiver: unknown, args: readonly unknown[], value: unknown): void {
    if (this.#disposed) return;
    const key = this.#trie.intern(receiver, this.#keyArgs(receiver, args));
    this.#forget(key, 'replaced');
    if (isThenable(value)) {
      const load = new Load(key, undefined);
      this.#await(load, value).catch(() => {}); // Whoever made the promise answers for its rejection.
    } else {
      this.#keep(key, value);
      release(key);
    }
  }

  /** Forgets the result and disowns the load for an argument list: of one receiver, or of all and none. */
  delete(receiver: unknown, args: readonly unknown[]): boolean {
    const keyArgs = this.#keyArgs(receiver, args);
    if (receiver === undefined) {
      let found = false;
      for (const key of [...this.#trie.findAll(keyArgs)]) {
        if (this.#forget(key, 'explicit')) found = true;
      }
      return found;
    }
    const key = this.#trie.find(receiver, keyArgs);
    return key !== undefined && this.#forget(key, 'explicit');
  }

  /** Forgets all results and disowns all loads. */
  clear(): void {
    for (let load = this.#running; load !== undefined; load = load.outer) load.current = false;
    for (const flight of this.#flights.values()) flight.current = false;
    this.#flights.clear();
    if (this.#watch !== null) {
      for (const handle of this.store.handles()) this.#watch.gone(handle);
    }
    this.store.clear();
    this.#trie = new KeyTrie();
  }

  /** Forgets everything and caches nothing from now on. */
  dispose(): void {
    this.#disposed = true;
    this.clear();
    this.#watch?.[Symbol.dispose]();
  }

  info(): CacheInfo {
    return {
      hits: this.hits,
      misses: this.#misses,
      joins: this.#joins,
      loads: this.#loads,
      loadFailures: this.#loadFailures,
      evictions: this.#evictions,
      expirations: this.#expirations,
      collected: this.#collected,
      inFlight: this.#flights.size,
      size: this.store.size,
      max: this.settings.max,
    };
  }

  watch(observer: Observer): Observation {
    if (this.#watch !== null) throw new AlreadyWatchedError(`The cache '${this.name}'`);
    this.#watch = new CacheWatch(this, observer);
    return this.#watch;
  }

  unwatched(): void {
    this.#watch = null;
  }

  handles(): Iterable<Handle> {
    return this.store.handles();
  }

  #keyArgs(receiver: unknown, args: readonly unknown[]): readonly unknown[] {
    return this.#keyOf === undefined ? args : [Reflect.apply(this.#keyOf, receiver, args)];
  }

  /** The slot if it may be served; one that may not is removed. */
  #fresh(key: Key, slot: Slot): Slot {
    if (!(slot instanceof Entry) || !slot.isDead(this.settings.clock.now())) return slot;
    this.store.delete(key, 'expired');
    return undefined;
  }

  /** Runs the function for a key that was interned for it. */
  #load(receiver: unknown, args: readonly unknown[], key: Key): unknown {
    const load = new Load(key, this.#running);
    this.#running = load;
    let result: unknown;
    let pending: boolean;
    try {
      result = Reflect.apply(this.#fn, receiver, args);
      pending = isThenable(result);
    } catch (error) {
      this.#loadFailures++;
      release(key);
      throw error;
    } finally {
      this.#running = load.outer;
      load.outer = undefined;
    }
    if (pending) return this.#await(load, result);
    this.#loads++;
    if (load.current) this.#keep(key, result);
    release(key);
    return result;
  }

  /** Lets others join a load until its promise settles. */
  #await(load: Load, thenable: unknown): Promise<unknown> {
    const promise = Promise.resolve(thenable).then(
      (value) => {
        this.#loads++;
        if (this.#landed(load)) this.#keep(load.key, promise);
        release(load.key);
        return value;
      },
      (error: unknown) => {
        this.#loadFailures++;
        this.#landed(load);
        release(load.key);
        throw error;
      },
    );
    load.promise = promise;
    if (load.current) {
      this.#disown(load.key);
      this.#flights.set(load.key, load);
    }
    return promise;
  }

  /** Ends the flight of a load that is still the current one for its key; false for one that was overtaken. */
  #landed(load: Load): boolean {
    if (!load.current) return false;
    this.#flights.delete(load.key);
    return true;
  }

  /** Takes the token from the load in flight for this key. */
  #disown(key: Key): boolean {
    const flight = this.#flights.get(key);
    if (flight === undefined) return false;
    flight.current = false;
    return this.#flights.delete(key);
  }

  #forget(key: Key, cause: RemovalCause): boolean {
    let found = this.#disown(key);
    for (let load = this.#running; load !== undefined; load = load.outer) {
      if (load.key !== key || !load.current) continue;
      load.current = false;
      found = true;
    }
    const slot = this.#fresh(key, this.store.peek(key));
    return (slot !== undefined && this.store.delete(key, cause)) || found;
  }

  #keep(key: Key, value: unknown): void {
    const { max, ttl, clock } = this.settings;
    if (max === 0) return;
    let slot = slotOf(value);
    if (ttl !== undefined) {
      const now = clock.now();
      this.store.sweep(now);
      slot = new Entry(value, now + ttl);
    }
    if (this.store.set(key, slot)) this.#watch?.born(handleOf(key));
  }

  #removed(handle: Handle, cause: RemovalCause): void {
    if (cause === 'size') this.#evictions++;
    else if (cause === 'expired') this.#expirations++;
    else if (cause === 'collected') this.#collected++;
    this.#watch?.gone(handle);
  }
}

function isThenable(value: unknown): boolean {
  return isObject(value) && typeof (value as { then?: unknown }).then === 'function';
}
