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
 * does. A forced call begins a load of its own, because a load in flight may have begun before the change that the caller
 * wants to see.
 *
 * Callers get a promise that settles after the result was stored. So a caller that continues after a load finds its result in
 * the cache. The host reports a rejection that no caller handles.
 */
import { abortReason } from '../core/abort-reason.js';
import { InvalidArgumentError } from '../core/errors.js';
import type { Observation, Observer } from '../core/probe.js';
import { followUntilAbort } from '../core/signal-waits.js';
import { isThenable } from '../core/thenable.js';
import type { AnyFn, Callable } from './any-fn.js';
import { CacheContents } from './cache-contents.js';
import type { CacheEventMap } from './cache-events.js';
import type { CacheInfo } from './cache-info.js';
import { CacheRecorder } from './cache-recorder.js';
import { CacheWatch, type WatchedCache } from './cache-watch.js';
import type { EntryOptions } from './entry-options.js';
import { keyError } from './keys/key-error.js';
import { hasNoReceiver, type Key, type KeyRef, release } from './keys/key-trie.js';
import { isOutdated, mayBeOutdated } from './loading/joined-loads.js';
import { Load } from './loading/load.js';
import { Loader } from './loading/loader.js';
import { OwnLoadContext } from './loading/own-load-context.js';
import { Lookup, MISS } from './lookup.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { SharedLevel } from './shared-port.js';
import { isStaged, setOrigin } from './stores/staged-entry.js';
import type { Stored } from './stores/stored.js';

/** The outcome of a look-up: an `answer`, or a load that is new or that the caller joins. */
export type Found =
  | { readonly key: Key; readonly answer: unknown; readonly load?: undefined }
  | FoundLoad;

interface FoundLoad {
  readonly key: Key;
  readonly load: Load;
  readonly isJoined: boolean;
}

/** The results of one function by its arguments. */
export class MemoCache implements WatchedCache {
  readonly settings: MemoizeSettings;
  readonly recorder: CacheRecorder = new CacheRecorder();
  readonly contents: CacheContents;
  readonly loader: Loader;
  /** The original function, without the cache. */
  readonly fn: Callable;
  /** Whether every call goes straight to the function. */
  isDisposed = false;
  readonly #lookup: Lookup;
  readonly shared: SharedLevel | undefined;

  constructor(fn: AnyFn, settings: MemoizeSettings) {
    const { recorder } = this;
    this.settings = settings;
    this.fn = fn as Callable;
    this.contents = new CacheContents(settings, recorder);
    this.shared = settings.shared?.attach(settings, recorder.counters, this.contents);
    this.loader = new Loader(fn, settings, this.contents, recorder, this.shared);
    this.#lookup = new Lookup(settings, this.contents, this.loader, recorder);
  }

  get name(): string {
    return this.settings.name;
  }

  get hasWeakValues(): boolean {
    return this.settings.weakValues;
  }

  get entryMillis(): number {
    const { ttl, idleTtl } = this.settings;
    return Math.min(typeof ttl === 'number' ? ttl : Infinity, idleTtl);
  }

  // ── Calls ──

  /** Gives the stored result, the promise of the load in flight, or the result of a new load. */
  call(receiver: unknown, ...args: readonly unknown[]): unknown {
    const { key: option } = this.settings;
    if (option === undefined) return this.#answer(args, receiver, args);
    let key: unknown;
    try {
      key = Reflect.apply(option as Callable, receiver, args);
    } catch (error) {
      return this.failed(error);
    }
    return this.callBy(key, receiver, ...args);
  }

  /** A call for which the option `key` returned `key`. */
  callBy(key: unknown, receiver: unknown, ...args: readonly unknown[]): unknown {
    const error = keyError(key);
    return error === undefined ? this.#answer([key], receiver, args) : this.failed(error);
  }

  /** A call for one primitive that has no entry, in a cache of plain settings. */
  callMissed(key: string | number): unknown {
    const { contents, loader, recorder } = this;
    const { watch } = contents.entries;
    const isNoticed = recorder.listeners !== null || watch !== null;
    if (this.isDisposed || contents.flights.size > 0 || isNoticed) {
      return this.call(undefined, key);
    }
    recorder.counters.misses++;
    return loader.runPlain(key);
  }

  /** A call with a signal, or one that begins a new load. */
  callWith(
    receiver: unknown,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    isForced: boolean,
  ): unknown {
    if (signal === undefined && !isForced) return this.call(receiver, ...args);
    if (signal?.aborted === true) return this.#refuse(abortReason(signal));
    let found: Found | undefined;
    try {
      const keyArgs = this.keyArgs(receiver, args);
      const answer = isForced ? MISS : this.#hit(keyArgs, receiver, args);
      if (answer !== MISS) return answer; // It has settled, so there is nothing to leave.
      found = this.#joinOrLoad(keyArgs, receiver, args, isForced);
    } catch (error) {
      return this.failed(error);
    }
    if (found === undefined) return this.callUncached(receiver, args, signal);
    const { load, isJoined } = found;
    const result = isJoined ? this.#promiseOf(load, receiver, args) : load.result;
    if (load.hasAnswered(result)) return result;
    if (signal === undefined || load.promise === undefined) {
      load.callers++;
      return result;
    }
    load.ownDetails.waiters++;
    return this.#withSignal(result, signal, (reason) => {
      if (load.leave()) this.contents.flights.giveUp(load, reason);
    });
  }

  /**
   * Finds a stored result or the load in flight, or begins a load. The caller must then register with the load that it gets.
   * `undefined` if the cache keeps nothing: it was disposed of, or can take no more keys.
   */
  find(receiver: unknown, args: readonly unknown[]): Found | undefined {
    const keyArgs = this.keyArgs(receiver, args);
    const key = this.contents.trie.find(receiver, keyArgs); // A listener of the hit may clear the trie.
    const answer = this.#hit(keyArgs, receiver, args);
    if (answer === MISS) return this.#joinOrLoad(keyArgs, receiver, args, false);
    return { key: key as Key, answer };
  }

  /**
   * Gives a lease on a result, or a promise of one.
   *
   * @throws {@link InvalidArgumentError} without the option `dispose`.
   */
  lease(receiver: unknown, args: readonly unknown[]): unknown {
    const { disposals, watch } = this.contents.entries;
    if (disposals !== undefined) {
      const origin = watch?.origin(MemoCache.prototype.lease);
      return disposals.lease(this as never, receiver, args, origin);
    }
    throw new InvalidArgumentError(
      `lease: the cache '${this.name}' does not dispose of its results. Give it \`dispose: disposal()\`, with disposal from 'tenure/memoize/disposal'.`,
    );
  }

  /** The stored value that a call would be answered with; `undefined` for none. Counts as no use. */
  peek(receiver: unknown, args: readonly unknown[]): Stored {
    const key = this.contents.trie.find(receiver, this.keyArgs(receiver, args));
    return key === undefined ? undefined : this.contents.entries.servable(key);
  }

  /** Stores a result that was not loaded. */
  set(receiver: unknown, args: readonly unknown[], value: unknown, own?: EntryOptions): void {
    const isPromise = isThenable(value);
    const keyArgs = this.keyArgs(receiver, args);
    const { entries, flights } = this.contents;
    // First, because a callback may clear the cache or dispose of it.
    const terms = isPromise ? undefined : entries.retention.ofResult(value, args, own);
    const key = this.isDisposed ? undefined : this.contents.trie.intern(receiver, keyArgs);
    if (key === undefined) return;
    flights.disown(key);
    const shared = hasNoReceiver(receiver) ? this.shared : undefined;
    if (isPromise) {
      entries.remove(key, 'replaced');
      const load = new Load(key, undefined);
      load.callers++;
      load.ownDetails.own = own ?? {};
      if (shared !== undefined) {
        shared.invalidate(keyArgs);
        load.ownDetails.sharedAs = keyArgs;
        load.ownDetails.givenAt = Date.now();
      }
      this.loader.follow(load, value, args).promise?.catch(() => {}); // The caller handles the rejection of its own promise.
      return;
    }
    if (terms === undefined) entries.remove(key, 'replaced');
    const stored = terms && entries.put(key, value, value, terms);
    if (shared !== undefined) {
      setOrigin(stored, shared.replace(keyArgs, value, terms, Date.now()));
      entries.markStale(stored, shared.freshMillis(undefined));
    }
    release(key);
  }

  // ── Forgetting ──

  /** Forgets the result for an argument list: of one receiver, or of all receivers and of calls without one. */
  delete(receiver: unknown, args: readonly unknown[]): boolean {
    const keyArgs = this.keyArgs(receiver, args);
    if (receiver === undefined) {
      this.shared?.invalidate(keyArgs);
      return this.contents.forgetHere(keyArgs);
    }
    const key = this.contents.trie.find(receiver, keyArgs);
    return key !== undefined && this.contents.forget(key);
  }

  /** Forgets the results with one of these tags. Running loads do not store such a result. */
  invalidateTags(tags: readonly string[]): number {
    this.shared?.invalidateTags(tags);
    return tags.length === 0 ? 0 : this.contents.forgetTagsHere(tags);
  }

  /** Forgets all results and disowns all loads. */
  clear(): void {
    this.shared?.invalidateAll();
    this.contents.forgetAllHere();
  }

  /** Settles when all that is pending has reached the shared level or has failed. True if no invalidation is pending. */
  async flush(): Promise<boolean> {
    return this.shared === undefined || this.shared.flush();
  }

  /** Told that an entry was stored that came from no load. */
  storedApart(keyArgs: readonly unknown[]): void {
    this.shared?.stored(keyArgs);
  }

  /** Forgets everything, and caches nothing from now on. */
  dispose(): void {
    this.isDisposed = true;
    this.shared?.end();
    this.contents.forgetAllHere();
    this.contents.entries.watch?.componentEnded();
    this.contents.entries.watch?.[Symbol.dispose]();
  }

  // ── Observation ──

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
    const { fast, flights, store, entries } = this.contents;
    const { hits } = fast;
    const { misses } = counters;
    return {
      hits,
      ...counters,
      loads: counters.loads - counters.sharedHits,
      loadFailures: counters.loadFailures - counters.sharedFailures,
      shared: this.shared?.state,
      hitRate: hits + misses === 0 ? 1 : hits / (hits + misses),
      inFlight: flights.size,
      size: store.size,
      max: this.settings.max,
      weight: entries.weight,
      maxWeight: this.settings.maxWeight,
    };
  }

  watch(observer: Observer): Observation {
    const { entries } = this.contents;
    entries.watch ??= new CacheWatch(this, observer);
    if (entries.disposals !== undefined) entries.disposals.watch = entries.watch;
    return entries.watch.attach(observer);
  }

  unwatched(): void {
    const { entries } = this.contents;
    entries.watch = null;
    if (entries.disposals !== undefined) entries.disposals.watch = null;
  }

  refs(): Iterable<KeyRef> {
    return this.contents.store.refs();
  }

  present(): Iterable<KeyRef> {
    return this.contents.store.present();
  }

  /** Closes the fast paths while `hit` has a listener, because only {@link call} emits hits. */
  #updateFastPaths(): void {
    this.contents.fast.setObserved(this.recorder.events.has('hit'));
  }

  // ── Parts of a call ──

  /** The stored result for a call, or {@link MISS}. Throws a failure that is remembered. */
  #hit(keyArgs: readonly unknown[], receiver: unknown, args: readonly unknown[]): unknown {
    const { trie, store } = this.contents;
    const key = trie.find(receiver, keyArgs);
    if (key === undefined) return MISS;
    const stored = store.get(key);
    return stored === undefined ? MISS : this.#lookup.serve(key, stored, receiver, args);
  }

  /** Answers a call without options. */
  #answer(keyArgs: readonly unknown[], receiver: unknown, args: readonly unknown[]): unknown {
    const answer = this.#hit(keyArgs, receiver, args);
    if (answer !== MISS) return answer;
    const found = this.#joinOrLoad(keyArgs, receiver, args, false);
    if (found === undefined) return this.callUncached(receiver, args);
    const { load, isJoined } = found;
    const result = isJoined ? this.#promiseOf(load, receiver, args) : load.result;
    if (!load.hasAnswered(result)) load.callers++;
    return result;
  }

  /** Joins the load in flight, or begins one. `undefined` if the cache keeps nothing: see {@link find}. */
  #joinOrLoad(
    keyArgs: readonly unknown[],
    receiver: unknown,
    args: readonly unknown[],
    isForced: boolean,
  ): FoundLoad | undefined {
    if (this.isDisposed) return undefined;
    const { trie, store, flights } = this.contents;
    let key = trie.intern(receiver, keyArgs);
    const flight = flights.get(key);
    if (flight !== undefined && (!isForced || flight.details.isYetToBegin)) {
      release(flight.key);
      return { key: flight.key, load: flight, isJoined: true };
    }
    this.recorder.missed(args);
    if (key !== undefined && this.contents.trie !== trie) {
      release(key); // A listener has cleared the cache, or disposed of it.
      key = this.isDisposed ? undefined : this.contents.trie.intern(receiver, keyArgs);
    }
    if (key === undefined) return undefined;
    const stored = store.peek(key);
    const replaces = isStaged(stored) ? stored : undefined;
    const reason = isForced ? 'forced' : undefined;
    const load = this.loader.run(key, receiver, args, replaces, reason);
    return { key, load, isJoined: false };
  }

  /** The arguments that make the key: those of the call, or the one key that the option `key` makes of them. */
  keyArgs(receiver: unknown, args: readonly unknown[]): readonly unknown[] {
    const { key: option } = this.settings;
    if (option === undefined) return args;
    const key: unknown = Reflect.apply(option as Callable, receiver, args);
    const error = keyError(key);
    if (error !== undefined) throw error;
    return [key];
  }

  /** The outcome of a call that failed before its load: a rejection if the function is known to be asynchronous. */
  failed(error: unknown): Promise<never> {
    if (this.loader.isAsync) return Promise.reject(error);
    throw error;
  }

  /** Calls the function, or the option `load` in its place, and keeps nothing. */
  callUncached(receiver: unknown, args: readonly unknown[], signal?: AbortSignal): unknown {
    const context = new OwnLoadContext(args, undefined);
    const result = this.loader.compute(receiver, context);
    return this.#withSignal(result, signal, (reason) => context.abort(reason));
  }

  /**
   * The promise for a caller that joins a load. If the result was invalidated after the load began, the caller gets the result of a new
   * call instead. After the soft limit of the load it gets the stale result.
   */
  #promiseOf(flight: Load, receiver: unknown, args: readonly unknown[]): unknown {
    this.recorder.counters.joins++;
    if (!mayBeOutdated(flight, this.shared)) return this.loader.resultFor(flight, args);
    const renewed = async (value: unknown): Promise<unknown> =>
      (await isOutdated(flight, this.shared)) ? this.call(receiver, ...args) : value;
    const result = this.loader.resultFor(flight, args) as Promise<unknown>;
    if (flight.hasAnswered(result)) return result;
    const details = flight.ownDetails;
    if (details.invalidatedSince === undefined || details.isAnsweredStale)
      return result.then(renewed);
    details.successor ??= result.then(renewed);
    return details.successor;
  }

  /** Rejects a caller whose signal has aborted, or throws if the function is known to be synchronous. */
  #refuse(reason: unknown): Promise<never> {
    if (!this.loader.isAsync && this.recorder.counters.loads > 0) throw reason;
    return Promise.reject(reason);
  }

  #withSignal(
    result: unknown,
    signal: AbortSignal | undefined,
    onLeave: (reason: unknown) => void,
  ): unknown {
    if (signal === undefined || !isThenable(result)) return result;
    return followUntilAbort(result, signal, onLeave);
  }
}
