/**
 * The cache behind one memoized function: the shelf of settled results, and beside it the loads in flight.
 *
 * ```
 *   call ──▶ key ──▶ shelf ──fresh──▶ result
 *                      │  └──stale──▶ result, and a load in the background
 *                      │ miss
 *                      ▼
 *                   in flight? ──yes──▶ the same promise (join)
 *                      │ no
 *                      ▼
 *                    load ──▶ still current? ──yes──▶ shelf
 * ```
 *
 * A load in flight lives outside of the store, so that no eviction can take it from its callers, and carries its own
 * token, `Load.current`. `delete`, `clear`, `set` and the invalidation of tags take the token away: those who wait get
 * what they asked for, but a value computed before the invalidation is never served after it.
 *
 * Callers are given the promise that follows the bookkeeping, so whoever sees a load settle sees the cache after it, and
 * a rejection that nobody refs is still reported by the host.
 */
import { AlreadyWatchedError, InvalidArgumentError } from '../core/errors.js';
import type { Observation, Observer } from '../core/probe.js';
import { isThenable } from '../core/thenable.js';
import type { AnyFn } from './any-fn.js';
import { CacheCounters } from './cache-counters.js';
import type { CacheInfo } from './cache-info.js';
import { CacheWatch, type WatchedCache } from './cache-watch.js';
import type { CallOptions } from './call-options.js';
import { Entries } from './entries.js';
import type { EntryOptions } from './entry-options.js';
import type { EntryTerms } from './entry-terms.js';
import {
  hasNoReceiver,
  type Key,
  type KeyRef,
  KeyTrie,
  keyOf,
  refOf,
  release,
  retain,
} from './keys/key-trie.js';
import { abortableWait } from './loading/abortable-wait.js';
import { Load } from './loading/load.js';
import { type Callable, Loader } from './loading/loader.js';
import { Lookup, MISS } from './lookup.js';
import type { MemoizeSettings } from './memoize-options.js';
import { type LocalLevel, SharedLevel } from './shared/shared-level.js';
import { FastState } from './stores/fast-state.js';
import { StagedEntry } from './stores/staged-entry.js';
import type { Store } from './stores/store.js';
import type { Stored } from './stores/stored.js';

/** Results of one function by its arguments. */
export class MemoCache implements WatchedCache, LocalLevel {
  readonly settings: MemoizeSettings;
  readonly counters: CacheCounters = new CacheCounters();
  readonly fast: FastState;
  readonly shelf: Entries;
  readonly store: Store;
  /** The argument lists that are known; another object after `clear`. */
  trie: KeyTrie = new KeyTrie();
  /** The function, uncached. */
  readonly fn: Callable;
  readonly #keyOf: Callable | undefined;
  readonly #loader: Loader;
  readonly #lookup: Lookup;
  readonly #shared: SharedLevel | undefined;
  #disposed = false;

  constructor(fn: AnyFn, settings: MemoizeSettings) {
    this.settings = settings;
    this.fn = fn as Callable;
    this.#keyOf = settings.key as Callable | undefined;
    this.fast = new FastState(!settings.expires, this.trie.plain);
    this.shelf = new Entries(settings, this.counters, this.fast);
    this.store = this.shelf.store;
    this.#shared = settings.shared ? new SharedLevel(settings, this.counters, this) : undefined;
    this.#loader = new Loader(fn, settings, this.shelf, this.counters, this.#shared);
    this.#lookup = new Lookup(settings, this.shelf, this.#loader, this.counters, this.fast);
  }

  get name(): string {
    return this.settings.name;
  }

  /** The stored result, the promise of the load in flight, or a new load's result. */
  call(receiver: unknown, ...args: readonly unknown[]): unknown {
    if (this.#disposed) return Reflect.apply(this.fn, receiver, args);
    const keyArgs = this.#keyArgs(receiver, args);
    const known = this.trie.find(receiver, keyArgs);
    let stored: Stored;
    if (known !== undefined) {
      stored = this.store.get(known);
      if (stored !== undefined) {
        const answer = this.#lookup.serve(known, stored, receiver, args);
        if (answer !== MISS) return answer;
      }
      const flight = this.#loader.flights.get(known);
      if (flight !== undefined) {
        flight.joined = true;
        return this.#promiseOf(flight, receiver, args);
      }
    }
    const load = this.#miss(this.trie.intern(receiver, keyArgs), stored, receiver, args);
    load.joined = true;
    return load.result;
  }

  /** The same, for one primitive in a cache of simple settings, once the store has been asked for it in vain. */
  missed(key: string | number): unknown {
    if (this.#disposed || this.#loader.flights.size > 0) return this.call(undefined, key);
    this.counters.misses++;
    return this.#loader.runSimple(key);
  }

  /** The same, for a caller who may leave, or who does not want what is stored. */
  callWith(receiver: unknown, args: readonly unknown[], options: CallOptions): unknown {
    const { signal, forceRefresh = false } = options;
    if (signal?.aborted === true) return this.#refuse(signal.reason);
    if (signal === undefined && !forceRefresh) return this.call(receiver, ...args);
    if (this.#disposed) return withSignal(Reflect.apply(this.fn, receiver, args), signal);
    const key = this.trie.intern(receiver, this.#keyArgs(receiver, args));
    try {
      const stored = this.store.get(key);
      if (stored !== undefined && !forceRefresh) {
        const answer = this.#lookup.serve(key, stored, receiver, args);
        if (answer !== MISS) return withSignal(answer, signal);
      }
      const flight = this.#loader.flights.get(key);
      if (flight === undefined) retain(key);
      const load = flight ?? this.#miss(key, stored, receiver, args, forceRefresh);
      const result = flight ? this.#promiseOf(flight, receiver, args) : load.result;
      if (signal === undefined || load.promise === undefined) {
        load.joined = true;
        return result;
      }
      load.ownDetails.waiters++;
      return abortableWait(result as Promise<unknown>, signal, (reason) => {
        if (load.leave()) this.#loader.flights.giveUp(load, reason);
      });
    } finally {
      release(key);
    }
  }

  /** The right to use the result until it is given back, or a promise of it. */
  lease(receiver: unknown, args: readonly unknown[]): unknown {
    const { disposals } = this.shelf;
    if (disposals === undefined) {
      throw new InvalidArgumentError(
        `lease: the cache '${this.name}' never disposes of its results; give it the option \`dispose\`.`,
      );
    }
    if (this.#disposed) {
      const result = Reflect.apply(this.fn, receiver, args);
      const leased = (value: unknown) => disposals.reserve(undefined, value, 1).leaseHeld();
      return isThenable(result) ? Promise.resolve(result).then(leased) : leased(result);
    }
    const key = this.trie.intern(receiver, this.#keyArgs(receiver, args));
    try {
      const ref = refOf(key);
      const stored = this.store.get(key);
      if (stored !== undefined) {
        const answer = this.#lookup.serve(key, stored, receiver, args);
        const held = answer === MISS ? undefined : disposals.lease(ref);
        if (held !== undefined) return isThenable(answer) ? Promise.resolve(held) : held;
        if (answer !== MISS) return answer; // The promise of a failure that is remembered.
      }
      const flight = this.#loader.flights.get(key);
      if (flight === undefined) retain(key);
      else this.counters.joins++;
      const late = flight?.details.suspectTags !== undefined;
      const load = flight ?? this.#miss(key, stored, receiver, args);
      const { promise } = load;
      if (promise === undefined) return disposals.reserve(ref, load.result, 1).leaseHeld();
      load.ownDetails.lessees++;
      return promise.then(() => {
        const held = load.details.shared?.leaseHeld();
        if (!late || !load.details.tainted) return held;
        held?.release(); // Its tags were invalidated before this call.
        return this.lease(receiver, args);
      });
    } finally {
      release(key);
    }
  }

  /** What is stored and would be served, unused; `undefined` for nothing. */
  peek(receiver: unknown, args: readonly unknown[]): Stored {
    const key = this.trie.find(receiver, this.#keyArgs(receiver, args));
    return key === undefined ? undefined : this.#lookup.servable(key);
  }

  /** Stores a result that was not loaded. */
  set(receiver: unknown, args: readonly unknown[], value: unknown, own?: EntryOptions): void {
    if (this.#disposed) return;
    const keyArgs = this.#keyArgs(receiver, args);
    const key = this.trie.intern(receiver, keyArgs);
    this.#loader.flights.disown(key);
    const shared = hasNoReceiver(receiver) ? this.#shared : undefined;
    if (isThenable(value)) {
      this.shelf.remove(key, 'replaced');
      const load = new Load(key, undefined);
      load.joined = true;
      load.ownDetails.own = own;
      if (shared !== undefined) {
        shared.invalidate(keyArgs);
        load.ownDetails.sharedAs = keyArgs;
      }
      this.#loader.follow(load, value, args).promise?.catch(() => {}); // Whoever made the promise answers for it.
      return;
    }
    const terms = this.shelf.decideTerms(value, args, own);
    if (terms === undefined) this.shelf.remove(key, 'replaced');
    else this.shelf.put(key, value, value, terms);
    shared?.replace(keyArgs, value, terms);
    if (shared?.mustMarkStale(undefined) === true) this.shelf.markStale(key);
    release(key);
  }

  /** Forgets the result and disowns the load for an argument list: of one receiver, or of all and none. */
  delete(receiver: unknown, args: readonly unknown[]): boolean {
    const keyArgs = this.#keyArgs(receiver, args);
    if (receiver === undefined) {
      this.#shared?.invalidate(keyArgs);
      return this.forgetHere(keyArgs);
    }
    const key = this.trie.find(receiver, keyArgs);
    return key !== undefined && this.#forget(key);
  }

  /** Forgets the results with one of these tags, and sees to it that no load that runs brings one of them back. */
  invalidateTags(tags: readonly string[]): number {
    this.#shared?.invalidateTags(tags);
    return this.forgetTagsHere(tags);
  }

  /** Forgets all results and disowns all loads. */
  clear(): void {
    this.#shared?.invalidateAll();
    this.forgetAllHere();
  }

  /** Resolves when what was invalidated and stored has reached the shared level, or has failed to. */
  async flush(): Promise<void> {
    await this.#shared?.flush();
  }

  forgetHere(keyArgs: readonly unknown[]): boolean {
    let found = false;
    for (const key of [...this.trie.findAll(keyArgs)]) if (this.#forget(key)) found = true;
    return found;
  }

  forgetTagsHere(tags: readonly string[]): number {
    let found = 0;
    this.#loader.flights.invalidateTags(tags);
    for (const key of this.shelf.tagged(tags)) if (this.#forget(key)) found++;
    return found;
  }

  markAllStale(): void {
    for (const ref of [...this.store.refs()]) {
      const key = keyOf(ref);
      if (key !== undefined) this.shelf.markStale(key);
    }
  }

  forgetAllHere(): void {
    this.trie = new KeyTrie();
    this.fast.top = this.trie.plain;
    this.shelf.clear();
    this.#loader.flights.disownAll(); // Now, because a loader that is aborted may call the cache.
    this.shelf.disposals?.disposeUnused();
  }

  /** Forgets everything and caches nothing from now on. */
  dispose(): void {
    this.#disposed = true;
    this.#shared?.end();
    this.forgetAllHere();
    this.shelf.watch?.[Symbol.dispose]();
  }

  info(): CacheInfo {
    const counted = this.counters;
    const { hits } = this.fast;
    const { misses } = counted;
    return {
      hits,
      ...counted,
      loads: counted.loads - counted.sharedHits,
      hitRate: hits + misses === 0 ? 1 : hits / (hits + misses),
      inFlight: this.#loader.flights.size,
      size: this.store.size,
      max: this.settings.max,
      weight: this.shelf.weight,
      maxWeight: this.settings.maxWeight,
    };
  }

  watch(observer: Observer): Observation {
    if (this.shelf.watch !== null) throw new AlreadyWatchedError(`The cache '${this.name}'`);
    this.shelf.watch = new CacheWatch(this, observer);
    return this.shelf.watch;
  }

  unwatched(): void {
    this.shelf.watch = null;
  }

  refs(): Iterable<KeyRef> {
    return this.store.refs();
  }

  /** Whether callers are given promises. */
  get asynchronous(): boolean {
    return this.#loader.asynchronous;
  }

  /** Stores what `dump` of a cache of the same function has written down. */
  restore(keyArgs: readonly unknown[], value: unknown, promised: boolean, terms: EntryTerms): void {
    if (this.#disposed || this.settings.max === 0 || terms.weight > this.settings.maxWeight) return;
    const key = this.trie.intern(undefined, keyArgs);
    this.#loader.flights.disown(key);
    if (promised) this.#loader.asynchronous = true;
    this.shelf.put(key, promised ? Promise.resolve(value) : value, value, terms);
    release(key);
  }

  #keyArgs(receiver: unknown, args: readonly unknown[]): readonly unknown[] {
    return this.#keyOf === undefined ? args : [Reflect.apply(this.#keyOf, receiver, args)];
  }

  /** Runs a load for a key that was interned for it, in place of what is in `stored`. */
  #miss(key: Key, stored: Stored, receiver: unknown, args: readonly unknown[], forced = false): Load {
    this.counters.misses++;
    const replaces = stored instanceof StagedEntry ? stored : undefined;
    return this.#loader.run(key, receiver, args, replaces, false, forced);
  }

  /** What one who joins a flight is given. After an invalidation of tags, that is what a new load brings if need be. */
  #promiseOf(flight: Load, receiver: unknown, args: readonly unknown[]): unknown {
    this.counters.joins++;
    if (flight.details.suspectTags === undefined) return flight.promise;
    const details = flight.ownDetails;
    details.successor ??= flight.promise?.then((value) =>
      details.tainted ? this.call(receiver, ...args) : value,
    );
    return details.successor;
  }

  /** An aborted caller is rejected as the function would reject it: by a promise, unless it never returns one. */
  #refuse(reason: unknown): Promise<never> {
    if (!this.#loader.asynchronous && this.counters.loads > 0) throw reason;
    return Promise.reject(reason);
  }

  #forget(key: Key): boolean {
    const disowned = this.#loader.flights.disown(key);
    this.#lookup.servable(key); // What is dead is not there to be forgotten.
    return this.shelf.remove(key, 'explicit') || disowned;
  }
}

function withSignal(result: unknown, signal: AbortSignal | undefined): unknown {
  return signal !== undefined && isThenable(result)
    ? abortableWait(result, signal, () => {})
    : result;
}
