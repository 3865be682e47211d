/**
 * The cache behind one memoized function: the entries, and the loads in flight beside them.
 *
 * The path of a call:
 *
 * ```
 *   call ──▶ key ──▶ store ──fresh──▶ result
 *                      │  └──stale──▶ result, and a load in the background
 *                      │ miss
 *                      ▼
 *                   in flight? ──yes──▶ the promise of that load (join)
 *                      │ no
 *                      ▼
 *                    load ──▶ still current? ──yes──▶ store
 * ```
 *
 * 1. **Fast path** (`fast-call.ts`): a hit on one or two plain arguments, without this class.
 * 2. **Find**: the key of the argument list, then the stored value.
 * 3. **Serve** (`lookup.ts`): a fresh or stale result.
 * 4. **Join**: the promise of the load that runs for the key.
 * 5. **Load** (`loading/loader.ts`): the function runs, and its result is stored if the load is still current.
 *
 * A load in flight is not in the store, so an eviction cannot take it from its callers. `delete`, `clear`, `set` and an
 * invalidation of tags make it no longer current. Callers that wait for it get its result, but no call after the invalidation
 * does.
 *
 * Callers get a promise that settles after the result was stored. So a caller that continues after a load finds its result in
 * the cache. The host reports a rejection that no caller handles.
 */
import { abortableWait } from '../core/abortable-wait.js';
import { AlreadyWatchedError, InvalidArgumentError } from '../core/errors.js';
import type { Observation, Observer } from '../core/probe.js';
import { isThenable } from '../core/thenable.js';
import type { AnyFn } from './any-fn.js';
import type { CacheEventMap } from './cache-events.js';
import type { CacheInfo } from './cache-info.js';
import { CacheRecorder } from './cache-recorder.js';
import { CacheWatch, type WatchedCache } from './cache-watch.js';
import type { CallOptions } from './call-options.js';
import { Entries } from './entries.js';
import type { EntryOptions } from './entry-options.js';
import {
  hasNoReceiver,
  type Key,
  type KeyRef,
  KeyTrie,
  keyOf,
  release,
  retain,
} from './keys/key-trie.js';
import { Load } from './loading/load.js';
import { type Callable, Loader } from './loading/loader.js';
import { Lookup, MISS } from './lookup.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { LocalLevel, SharedLevel } from './shared-port.js';
import { FastState } from './stores/fast-state.js';
import { StagedEntry } from './stores/staged-entry.js';
import type { Store } from './stores/store.js';
import type { Stored } from './stores/stored.js';

/** The outcome of a look-up: an `answer`, or a load that is new or that the caller joins. */
export type Found =
  | { readonly key: Key; readonly answer: unknown; readonly load?: undefined }
  | { readonly key: Key; readonly load: Load; readonly isJoined: boolean };

/** The results of one function by its arguments. */
export class MemoCache implements WatchedCache, LocalLevel {
  readonly settings: MemoizeSettings;
  readonly recorder: CacheRecorder = new CacheRecorder();
  readonly fast: FastState;
  readonly entries: Entries;
  readonly store: Store;
  readonly loader: Loader;
  /** The known argument lists; `clear` replaces the trie. */
  trie: KeyTrie = new KeyTrie();
  /** The original function, without the cache. */
  readonly fn: Callable;
  /** Whether every call goes straight to the function. */
  isDisposed = false;
  readonly #keyOf: Callable | undefined;
  readonly #lookup: Lookup;
  readonly #shared: SharedLevel | undefined;

  constructor(fn: AnyFn, settings: MemoizeSettings) {
    const { recorder } = this;
    this.settings = settings;
    this.fn = fn as Callable;
    this.#keyOf = settings.key as Callable | undefined;
    this.fast = new FastState(this.trie.plain);
    this.entries = new Entries(settings, recorder, this.fast);
    this.store = this.entries.store;
    this.#shared = settings.shared?.attach(settings, recorder.counters, this);
    this.loader = new Loader(fn, settings, this.entries, recorder, this.#shared);
    this.#lookup = new Lookup(settings, this.entries, this.loader, recorder, this.fast);
  }

  get name(): string {
    return this.settings.name;
  }

  /**
   * Gives the stored result, the promise of the load in flight, or the result of a new load. It repeats {@link find} without an
   * object for the outcome. That object would make a hit on three arguments half as slow again.
   */
  call(receiver: unknown, ...args: readonly unknown[]): unknown {
    if (this.isDisposed) return Reflect.apply(this.fn, receiver, args);
    const keyArgs = this.#keyArgs(receiver, args);
    const known = this.trie.find(receiver, keyArgs);
    let stored: Stored;
    if (known !== undefined) {
      stored = this.store.get(known);
      if (stored !== undefined) {
        const answer = this.#lookup.serve(known, stored, receiver, args);
        if (answer !== MISS) return answer;
      }
      const flight = this.loader.flights.get(known);
      if (flight !== undefined) {
        flight.joined = true;
        return this.#promiseOf(flight, receiver, args);
      }
    }
    const load = this.#miss(this.trie.intern(receiver, keyArgs), stored, receiver, args);
    load.joined = true;
    return load.result;
  }

  /** A call for one primitive that has no entry, in a cache of plain settings. */
  callMissed(key: string | number): unknown {
    const { loader, recorder } = this;
    if (this.isDisposed || loader.flights.size > 0 || recorder.listeners !== null) {
      return this.call(undefined, key);
    }
    recorder.counters.misses++;
    return loader.runPlain(key);
  }

  /** A call with a signal, or with `forceRefresh`. */
  callWith(receiver: unknown, args: readonly unknown[], options: CallOptions): unknown {
    const { signal, forceRefresh = false } = options;
    if (signal?.aborted === true) return this.#refuse(signal.reason);
    if (signal === undefined && !forceRefresh) return this.call(receiver, ...args);
    if (this.isDisposed) return withSignal(Reflect.apply(this.fn, receiver, args), signal);
    const found = this.find(receiver, args, forceRefresh);
    if (found.load === undefined) return withSignal(found.answer, signal);
    const { load, isJoined } = found;
    const result = isJoined ? this.#promiseOf(load, receiver, args) : load.result;
    if (signal === undefined || load.promise === undefined) {
      load.joined = true;
      return result;
    }
    load.ownDetails.waiters++;
    return abortableWait(result as Promise<unknown>, signal, (reason) => {
      if (load.leave()) this.loader.flights.giveUp(load, reason);
    });
  }

  /** Finds a stored result or the load in flight, or begins a load. The caller must then register with the load that it gets. */
  find(receiver: unknown, args: readonly unknown[], forced = false): Found {
    const key = this.trie.intern(receiver, this.#keyArgs(receiver, args));
    try {
      const stored = this.store.get(key);
      if (stored !== undefined && !forced) {
        const answer = this.#lookup.serve(key, stored, receiver, args);
        if (answer !== MISS) return { key, answer };
      }
      const flight = this.loader.flights.get(key);
      if (flight !== undefined) return { key, load: flight, isJoined: true };
      retain(key);
      return { key, load: this.#miss(key, stored, receiver, args, forced), isJoined: false };
    } finally {
      release(key);
    }
  }

  /**
   * Gives a lease on a result, or a promise of one.
   *
   * @throws {@link InvalidArgumentError} without the option `dispose`.
   */
  lease(receiver: unknown, args: readonly unknown[]): unknown {
    const { disposals } = this.entries;
    if (disposals !== undefined) return disposals.lease(this as never, receiver, args);
    throw new InvalidArgumentError(
      `lease: the cache '${this.name}' does not dispose of its results. Give it \`dispose: disposal()\`, with disposal from 'tenure/memoize/disposal'.`,
    );
  }

  /** The stored value that a call would be answered with; `undefined` for none. Counts as no use. */
  peek(receiver: unknown, args: readonly unknown[]): Stored {
    const key = this.trie.find(receiver, this.#keyArgs(receiver, args));
    return key === undefined ? undefined : this.#lookup.servable(key);
  }

  /** Stores a result that was not loaded. */
  set(receiver: unknown, args: readonly unknown[], value: unknown, own?: EntryOptions): void {
    if (this.isDisposed) return;
    const { entries, loader } = this;
    const keyArgs = this.#keyArgs(receiver, args);
    const key = this.trie.intern(receiver, keyArgs);
    loader.flights.disown(key);
    const shared = hasNoReceiver(receiver) ? this.#shared : undefined;
    if (isThenable(value)) {
      entries.remove(key, 'replaced');
      const load = new Load(key, undefined);
      load.joined = true;
      load.ownDetails.own = own;
      if (shared !== undefined) {
        shared.invalidate(keyArgs);
        load.ownDetails.sharedAs = keyArgs;
      }
      loader.follow(load, value, args).promise?.catch(() => {}); // The caller handles the rejection of its own promise.
      return;
    }
    const terms = entries.decideTerms(value, args, own);
    if (terms === undefined) entries.remove(key, 'replaced');
    else entries.put(key, value, value, terms);
    shared?.replace(keyArgs, value, terms);
    if (shared?.mustMarkStale(undefined) === true) entries.markStale(key);
    release(key);
  }

  /** Forgets the result for an argument list: of one receiver, or of all receivers and of calls without one. */
  delete(receiver: unknown, args: readonly unknown[]): boolean {
    const keyArgs = this.#keyArgs(receiver, args);
    if (receiver === undefined) {
      this.#shared?.invalidate(keyArgs);
      return this.forgetHere(keyArgs);
    }
    const key = this.trie.find(receiver, keyArgs);
    return key !== undefined && this.#forget(key);
  }

  /** Forgets the results with one of these tags. Running loads do not store such a result. */
  invalidateTags(tags: readonly string[]): number {
    this.#shared?.invalidateTags(tags);
    return this.forgetTagsHere(tags);
  }

  /** Forgets all results and disowns all loads. */
  clear(): void {
    this.#shared?.invalidateAll();
    this.forgetAllHere();
  }

  /** Settles when all results and invalidations so far have reached the shared level, or have failed. */
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
    this.loader.flights.invalidateTags(tags);
    for (const key of this.entries.tagged(tags)) if (this.#forget(key)) found++;
    return found;
  }

  markAllStale(): void {
    for (const ref of [...this.store.refs()]) {
      const key = keyOf(ref);
      if (key !== undefined) this.entries.markStale(key);
    }
  }

  forgetAllHere(): void {
    this.trie = new KeyTrie();
    this.fast.setTop(this.trie.plain);
    this.entries.clear();
    this.loader.flights.disownAll(); // Last, because the abort listener of a load may call the cache.
    this.entries.disposals?.disposeUnused();
  }

  /** Forgets everything, and caches nothing from now on. */
  dispose(): void {
    this.isDisposed = true;
    this.#shared?.end();
    this.forgetAllHere();
    this.entries.watch?.[Symbol.dispose]();
  }

  on<E extends keyof CacheEventMap>(event: E, listener: (payload: CacheEventMap[E]) => void): void {
    this.recorder.events.on(event, listener);
    this.#updateFastPaths();
  }

  off<E extends keyof CacheEventMap>(
    event: E,
    listener: (payload: CacheEventMap[E]) => void,
  ): void {
    this.recorder.events.off(event, listener);
    this.#updateFastPaths();
  }

  info(): CacheInfo {
    const { counters } = this.recorder;
    const { hits } = this.fast;
    const { misses } = counters;
    return {
      hits,
      ...counters,
      loads: counters.loads - counters.sharedHits,
      hitRate: hits + misses === 0 ? 1 : hits / (hits + misses),
      inFlight: this.loader.flights.size,
      size: this.store.size,
      max: this.settings.max,
      weight: this.entries.weight,
      maxWeight: this.settings.maxWeight,
    };
  }

  watch(observer: Observer): Observation {
    if (this.entries.watch !== null) throw new AlreadyWatchedError(`The cache '${this.name}'`);
    this.entries.watch = new CacheWatch(this, observer);
    return this.entries.watch;
  }

  unwatched(): void {
    this.entries.watch = null;
  }

  refs(): Iterable<KeyRef> {
    return this.store.refs();
  }

  /** Closes the fast paths while `hit` has a listener, because only {@link call} emits hits. */
  #updateFastPaths(): void {
    this.fast.setObserved(this.recorder.events.has('hit'));
  }

  #keyArgs(receiver: unknown, args: readonly unknown[]): readonly unknown[] {
    return this.#keyOf === undefined ? args : [Reflect.apply(this.#keyOf, receiver, args)];
  }

  /** Runs a load for a key that was interned for it, in place of `stored`. */
  #miss(
    key: Key,
    stored: Stored,
    receiver: unknown,
    args: readonly unknown[],
    forced = false,
  ): Load {
    this.recorder.missed(args);
    const replaces = stored instanceof StagedEntry ? stored : undefined;
    return this.loader.run(key, receiver, args, replaces, false, forced);
  }

  /**
   * The promise for a caller that joins a load. If a tag of the result was invalidated after the load began, the caller gets the
   * result of a new call instead.
   */
  #promiseOf(flight: Load, receiver: unknown, args: readonly unknown[]): unknown {
    this.recorder.counters.joins++;
    if (flight.details.invalidatedTags === undefined) return flight.promise;
    const details = flight.ownDetails;
    details.successor ??= flight.promise?.then((value) =>
      details.isOutdated ? this.call(receiver, ...args) : value,
    );
    return details.successor;
  }

  /** Rejects a caller whose signal has aborted, or throws if the function is known to be synchronous. */
  #refuse(reason: unknown): Promise<never> {
    if (!this.loader.isAsync && this.recorder.counters.loads > 0) throw reason;
    return Promise.reject(reason);
  }

  #forget(key: Key): boolean {
    const disowned = this.loader.flights.disown(key);
    this.#lookup.servable(key); // Removes a dead entry, which does not count as forgotten.
    return this.entries.remove(key, 'explicit') || disowned;
  }
}

function withSignal(result: unknown, signal: AbortSignal | undefined): unknown {
  return signal !== undefined && isThenable(result)
    ? abortableWait(result, signal, () => {})
    : result;
}
