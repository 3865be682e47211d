/**
 * Runs the function and brings home what it returns. A load goes through the same steps whoever asked for it, a caller,
 * a `refresh` or the cache itself: its synchronous part, its flight if it returned a promise, and its landing, where it
 * is stored if nobody has overtaken it.
 */
import { isThenable } from '../../core/thenable.js';
import type { AnyFn } from '../any-fn.js';
import type { CacheCounters } from '../cache-counters.js';
import type { Entries } from '../entries.js';
import { argsOf, hasReceiver, type Key, refOf, release, retain } from '../keys/key-trie.js';
import type { MemoizeSettings } from '../memoize-options.js';
import type { SharedLevel } from '../shared/shared-level.js';
import type { Failure, StagedEntry } from '../stores/staged-entry.js';
import { Flights } from './flights.js';
import type { Load } from './load.js';
import { OwnLoadContext } from './own-load-context.js';

/** A function as the cache calls it. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

const NO_ARGS: readonly unknown[] = [];

/** Loads of one function. */
export class Loader {
  readonly flights: Flights = new Flights();
  /** Whether the function returns promises, as far as is known. */
  asynchronous: boolean;
  readonly #fn: Callable;
  readonly #settings: MemoizeSettings;
  readonly #shelf: Entries;
  readonly #counters: CacheCounters;
  readonly #shared: SharedLevel | undefined;

  constructor(
    fn: AnyFn,
    settings: MemoizeSettings,
    shelf: Entries,
    counters: CacheCounters,
    shared: SharedLevel | undefined,
  ) {
    this.#fn = fn as Callable;
    this.asynchronous = Object.prototype.toString.call(fn) === '[object AsyncFunction]';
    this.#settings = settings;
    this.#shelf = shelf;
    this.#counters = counters;
    this.#shared = shared;
  }

  /**
   * Runs the function for a key that was interned for it, and that it gives back. Throws what the function throws, unless
   * the entry that was to be replaced stands in for it: that is for callers, not for a load in the background.
   */
  run(
    key: Key,
    receiver: unknown,
    args: readonly unknown[],
    replaces: StagedEntry | undefined = undefined,
    background = false,
    forced = false,
  ): Load {
    const load = this.flights.beginSync(key);
    if (replaces !== undefined) {
      load.ownDetails.replaces = replaces;
      load.ownDetails.background = background;
    }
    if (forced) load.ownDetails.forced = true;
    let result: unknown;
    let pending: boolean;
    try {
      result = this.#call(load, receiver, args);
      pending = isThenable(result);
    } catch (error) {
      this.flights.endSync(load);
      this.#counters.loadFailures++;
      const standIn = this.#failed(load, error, error, 'thrown', args);
      release(key);
      if (standIn === undefined) throw error;
      load.result = standIn.result;
      return load;
    }
    this.flights.endSync(load);
    if (pending) return this.follow(load, result as PromiseLike<unknown>, args);
    this.#counters.loads++;
    load.result = result;
    if (load.isCurrent) this.#landed(load, result, result, args);
    release(key);
    return load;
  }

  /**
   * The same for one primitive that is a key by itself, under which nothing is stored, in a cache of simple settings: a miss
   * costs little more than what it must do.
   */
  runSimple(key: string | number): unknown {
    const { misses } = this.#counters;
    const load = this.flights.reuseOrBegin(key);
    const fn = this.#fn;
    let result: unknown;
    let pending: boolean;
    try {
      result = fn(key);
      pending = isThenable(result);
    } catch (error) {
      this.flights.endSync(load);
      this.#counters.loadFailures++;
      throw error;
    }
    this.flights.endSync(load);
    if (pending) {
      load.joined = true;
      return this.follow(load, result as PromiseLike<unknown>, NO_ARGS).result;
    }
    this.#counters.loads++;
    if (!load.isCurrent) return result;
    // The function may have called itself with the same argument.
    if (this.#counters.misses === misses) {
      this.flights.recycle(load);
      this.#shelf.add(key, result);
    } else this.#landed(load, result, result, NO_ARGS);
    return result;
  }

  /** Lets others join a load until what it waits for has settled. */
  follow(load: Load, thenable: PromiseLike<unknown>, args: readonly unknown[]): Load {
    this.asynchronous = true;
    const { clock, asksCallbacks } = this.#settings;
    const asked = asksCallbacks ? args : NO_ARGS; // A load in flight must not keep its arguments alive for nothing.
    const began = clock.now();
    const promise = Promise.resolve(thenable).then(
      (settled) => {
        this.#counters.loads++;
        this.#counters.loadMillis += clock.now() - began;
        this.#landed(load, promise, settled, asked);
        this.#leaveShared(load, settled);
        this.#reserve(load, settled);
        release(load.key);
        return settled;
      },
      (error: unknown) => {
        this.#counters.loadFailures++;
        this.#counters.loadMillis += clock.now() - began;
        const standIn = this.#failed(load, promise, error, 'rejected', asked);
        this.#leaveShared(load, undefined);
        release(load.key);
        if (standIn === undefined) throw error;
        this.#reserve(load, standIn.settled);
        return standIn.settled;
      },
    );
    load.result = promise;
    load.promise = promise;
    this.flights.makeJoinable(load);
    return load;
  }

  /**
   * Replaces an entry in the background, unless that is under way. An asynchronous load begins at once; a synchronous one
   * would make the caller wait after all, so it runs in a microtask of its own.
   */
  revalidate(key: Key, entry: StagedEntry, receiver: unknown, args: readonly unknown[]): void {
    if (entry.refreshing || this.flights.get(key) !== undefined) return;
    this.#counters.refreshes++;
    retain(key);
    if (entry.isAsync) {
      this.#runInBackground(key, entry, receiver, args);
      return;
    }
    entry.refreshing = true;
    queueMicrotask(() => {
      entry.refreshing = false;
      if (this.#shelf.store.peek(key) === entry) this.#runInBackground(key, entry, receiver, args);
      else release(key); // It was invalidated or replaced meanwhile.
    });
  }

  #runInBackground(
    key: Key,
    entry: StagedEntry,
    receiver: unknown,
    args: readonly unknown[],
  ): void {
    const failed = (error: unknown): void => {
      this.#counters.refreshFailures++;
      this.#settings.onError(error, `a background load of the cache '${this.#settings.name}'`);
    };
    try {
      const load = this.run(key, receiver, args, entry, true);
      load.promise?.catch((error: unknown) => {
        if (load.isCurrent) failed(error); // One that was given up was aborted on purpose.
      });
    } catch (error) {
      failed(error);
    }
  }

  #call(load: Load, receiver: unknown, args: readonly unknown[]): unknown {
    const option = this.#settings.load;
    const shared = this.#shared;
    if (option === undefined && shared === undefined)
      return Reflect.apply(this.#fn, receiver, args);
    const { replaces, forced } = load.details;
    const stale = replaces?.failure === undefined ? replaces?.settled : undefined;
    const context = new OwnLoadContext(args, stale);
    load.ownDetails.context = context;
    const compute = (): unknown =>
      option === undefined
        ? Reflect.apply(this.#fn, receiver, args)
        : Reflect.apply(option, receiver, [context]);
    if (shared === undefined) return compute();
    const ref = refOf(load.key);
    // What is replaced before its time would only be found again.
    const anew =
      forced || (replaces !== undefined && this.#settings.clock.now() < replaces.expiresAt);
    return shared.load(context, hasReceiver(ref) ? undefined : argsOf(ref), anew, compute);
  }

  /** Stores what a load brought, if it still may be. */
  #landed(load: Load, result: unknown, settled: unknown, args: readonly unknown[]): void {
    if (!load.isCurrent) return;
    const shelf = this.#shelf;
    const { context, own, sharedAs } = load.details;
    const terms = shelf.decideTerms(settled, args, context ?? own);
    if (!this.flights.finish(load)) return; // Its terms have invalidated it.
    const { suspectTags } = load.details;
    if (suspectTags !== undefined && terms?.tags !== undefined) {
      for (const tag of terms.tags) if (suspectTags.has(tag)) load.ownDetails.tainted = true;
    }
    if (terms === undefined || load.details.tainted) shelf.remove(load.key, 'replaced');
    else {
      shelf.put(load.key, result, settled, terms);
      if (context !== undefined) context.kept = terms;
      if (sharedAs !== undefined) this.#shared?.replace(sharedAs, settled, terms);
      if (this.#shared?.mustMarkStale(context?.shared) === true) shelf.markStale(load.key);
    }
  }

  /** Ends the flight of a load that failed; answers with the entry that stands in for what it did not bring. */
  #failed(
    load: Load,
    failure: unknown,
    error: unknown,
    how: Failure,
    args: readonly unknown[],
  ): StagedEntry | undefined {
    const { replaces, background } = load.details;
    if (!this.flights.finish(load)) return undefined;
    if (!background && replaces?.replacesFailure(this.#settings.clock.now()) === true) {
      this.#counters.staleHits++;
      return replaces;
    }
    this.#shelf.putFailure(load.key, failure, how, error, args);
    return undefined;
  }

  #leaveShared(load: Load, settled: unknown): void {
    const { context } = load.details;
    if (context?.shared !== undefined) this.#shared?.landed(context.shared, settled, context.kept);
  }

  #reserve(load: Load, settled: unknown): void {
    const { lessees } = load.details;
    if (lessees === 0) return;
    const ref = refOf(load.key);
    load.ownDetails.shared = this.#shelf.disposals?.reserve(ref, settled, lessees);
  }
}
