/**
 * Runs the function and stores its result. Every load has up to three parts, for a caller, a `refresh` or a background load:
 *
 * 1. The synchronous part: the function is on the stack.
 * 2. The flight, if the function returned a promise: other callers can join it.
 * 3. The end: the result is stored, unless the load is no longer current.
 */
import { runInOwnContext } from '../../core/own-context.js';
import type { PendingNode } from '../../core/pending-node.js';
import { isThenable, onceSettled } from '../../core/thenable.js';
import type { AnyFn, Callable } from '../any-fn.js';
import type { CacheRecorder } from '../cache-recorder.js';
import type { CacheWatch } from '../cache-watch.js';
import { type Entries, timeAfter } from '../entries.js';
import type { EntryTerms } from '../entry-terms.js';
import { argsOf, hasReceiver, type Key, refOf, release, retain } from '../keys/key-trie.js';
import type { MemoizeSettings } from '../memoize-options.js';
import type { LoadOutcome, SharedLevel, SharedLoad } from '../shared-port.js';
import { type Failure, StagedEntry, setOrigin } from '../stores/staged-entry.js';
import type { Stored } from '../stores/stored.js';
import type { Flights } from './flights.js';
import type { Load } from './load.js';
import { untilHardLimit, untilSoftLimit } from './load-timeouts.js';
import { OwnLoadContext } from './own-load-context.js';

const NO_ARGS: readonly unknown[] = [];

/** The default pause after a load in the background has failed, in milliseconds. Without one, each hit would call a source that is down. */
const BACKGROUND_RETRY_MILLIS = 1_000;

/** Why a load begins: a call wants a new result, or an entry is due. Absent if a call has found no result. */
export type LoadReason = 'forced' | 'background';

/** The loads of one function. */
export class Loader {
  readonly #flights: Flights;
  /** Whether the function returns promises, as far as is known. */
  isAsync: boolean;
  readonly #fn: Callable;
  readonly #settings: MemoizeSettings;
  readonly #entries: Entries;
  readonly #recorder: CacheRecorder;
  readonly #shared: SharedLevel | undefined;

  constructor(
    fn: AnyFn,
    settings: MemoizeSettings,
    { entries, flights }: { readonly entries: Entries; readonly flights: Flights },
    recorder: CacheRecorder,
    shared: SharedLevel | undefined,
  ) {
    this.#flights = flights;
    this.#fn = fn as Callable;
    this.isAsync = Object.prototype.toString.call(fn) === '[object AsyncFunction]';
    this.#settings = settings;
    this.#entries = entries;
    this.#recorder = recorder;
    this.#shared = shared;
  }

  /**
   * Runs the function for a key that was interned for this load, and releases the key. Throws the function's error. A load for
   * callers does not throw if the entry that it should replace may be served in place of the failure.
   */
  run(
    key: Key,
    receiver: unknown,
    args: readonly unknown[],
    replaces: StagedEntry | undefined,
    reason?: LoadReason,
  ): Load {
    const load = this.#flights.beginSync(key);
    const { watch } = this.#entries;
    const isBackground = reason === 'background';
    if (replaces !== undefined) {
      load.ownDetails.replaces = replaces;
      load.ownDetails.background = isBackground;
    }
    let result: unknown;
    let isPending: boolean;
    try {
      const call = (): unknown =>
        reason === 'forced' ? this.#force(load, receiver, args) : this.#call(load, receiver, args);
      result = watch === null ? call() : this.#pendingNodeOf(load, watch).make(call);
      isPending = isThenable(result);
    } catch (error) {
      const stale = this.#endRun(load, () => {
        this.#recorder.loadFailed(error, 0);
        return this.#failed(load, error, error, 'thrown', args);
      });
      if (stale === undefined) throw error;
      load.result = stale.result;
      return load;
    }
    if (isPending) {
      this.#flights.endSync(load);
      return this.follow(load, result as PromiseLike<unknown>, args);
    }
    load.result = result;
    this.#endRun(load, () => {
      this.#recorder.loaded(result, 0);
      this.#succeeded(load, result, result, args);
      load.details.pendingNode?.passOn();
      if (isBackground) this.#entries.disposals?.loadSettled(load, result);
    });
    return load;
  }

  /** Ends a load that brought no promise. Until `end` has run, an invalidation by a callback or a listener still finds the load. */
  #endRun<R>(load: Load, end: () => R): R {
    try {
      return this.#entries.deferred(end);
    } finally {
      this.#flights.endSync(load);
      release(load.key);
    }
  }

  /** Reports that an entry is being loaded: it holds what its load leases. */
  #pendingNodeOf(load: Load, watch: CacheWatch): PendingNode {
    const pendingNode = watch.newNode(refOf(load.key), watch.origin(Loader.prototype.run));
    load.ownDetails.pendingNode = pendingNode;
    return pendingNode;
  }

  /**
   * Runs the function for one primitive that has no entry, in a cache of plain settings and without listeners. This is the
   * short form of {@link run}: a miss costs little more than the call and the insertion.
   */
  runPlain(key: string | number): unknown {
    const { counters } = this.#recorder;
    const { misses } = counters;
    const load = this.#flights.reuseOrBegin(key);
    const fn = this.#fn;
    let result: unknown;
    let isPending: boolean;
    try {
      result = fn(key);
      isPending = isThenable(result);
    } catch (error) {
      this.#flights.endSync(load);
      counters.loadFailures++;
      throw error;
    }
    this.#flights.endSync(load);
    if (isPending) {
      load.callers++;
      return this.follow(load, result as PromiseLike<unknown>, NO_ARGS).result;
    }
    counters.loads++;
    if (!load.isCurrent) return result;
    // The function may have called itself with the same argument.
    if (counters.misses === misses) {
      this.#flights.recycle(load);
      this.#entries.add(key, result);
    } else this.#succeeded(load, result, result, NO_ARGS);
    return result;
  }

  /** Lets other callers join a load until its promise has settled. */
  follow(load: Load, thenable: PromiseLike<unknown>, args: readonly unknown[]): Load {
    this.isAsync = true;
    const { asksCallbacks } = this.#settings;
    // A load in flight keeps its arguments only if a callback or a listener will need them.
    const kept = asksCallbacks || this.#recorder.listeners !== null ? args : NO_ARGS;
    const promise = runInOwnContext(() => this.#settle(load, thenable, kept));
    load.result = promise;
    load.promise = promise;
    const { background, forced } = load.details;
    if (!background && !forced) this.#startSoftLimit(load, kept);
    this.#flights.makeJoinable(load);
    return load;
  }

  /** The promise for a caller that joins a load: of the stale result, if the load is past its soft limit. */
  resultFor(load: Load, args: readonly unknown[]): unknown {
    const { isAnsweredStale, replaces } = load.details;
    if (!isAnsweredStale) {
      this.#startSoftLimit(load, args);
      return load.result;
    }
    if (!this.#mayServe(replaces, load, this.#settings.clock.now())) return load.promise;
    this.#recorder.servedStale(args);
    return load.result;
  }

  /** The promise of a load's result. It settles after the result was stored. */
  #settle(load: Load, thenable: PromiseLike<unknown>, args: readonly unknown[]): Promise<unknown> {
    const { clock } = this.#settings;
    const began = clock.now();
    const inTime = untilHardLimit(load, thenable, this.#settings, (late) =>
      this.#entries.disposals?.loadSettled({ key: load.key, hasCaller: false }, late),
    );
    const promise = onceSettled(
      inTime,
      (settled) => {
        this.#entries.deferred(() => {
          this.#recorder.loaded(settled, clock.now() - began);
          this.#succeeded(load, promise, settled, args);
          load.details.pendingNode?.passOn();
          this.#endShared(load, { value: settled });
          this.#entries.disposals?.loadSettled(load, settled);
        });
        this.#flights.releaseKey(load);
        return settled;
      },
      (error: unknown) => {
        const stale = this.#entries.deferred(() => {
          this.#recorder.loadFailed(error, clock.now() - began);
          if (this.#hasNoCallerToTell(load)) this.#failedInBackground(error);
          const kept = this.#failed(load, promise, error, 'rejected', args);
          this.#endShared(load, { error });
          if (kept !== undefined) this.#entries.disposals?.loadSettled(load, kept.settled);
          return kept;
        });
        this.#flights.releaseKey(load);
        if (stale !== undefined) return stale.settled;
        const latest = this.#flights.latestOf(load);
        if (latest === undefined || latest === load) throw error;
        return latest.promise;
      },
    );
    return promise;
  }

  /**
   * Has the callers of a load get the stale result at the soft limit, unless it was started before. For a load in the background and for a
   * forced one the limit begins when the first other call joins it.
   */
  #startSoftLimit(load: Load, args: readonly unknown[]): void {
    const { soft = Infinity } = this.#settings.loadTimeouts ?? {};
    const { promise, result } = load;
    const { replaces } = load.details;
    const isLimited = result !== promise;
    if (soft === Infinity || replaces === undefined || promise === undefined || isLimited) return;
    load.ownDetails.unlimited = load.callerCount;
    load.result = untilSoftLimit(soft, this.#settings, promise, (resolve) => {
      const latest = this.#flights.latestOf(load);
      if (latest === undefined) return;
      if (this.#flights.get(load.key) !== latest) return resolve(latest.promise); // It has ended.
      if (!this.#mayServe(replaces, load, this.#settings.clock.now())) return;
      this.#entries.disposals?.loadSettled(load, replaces.settled);
      this.#recorder.servedStale(args, load.answeredStale());
      resolve(replaces.settled);
    });
  }

  /**
   * Replaces an entry in the background, unless a load for it runs. An asynchronous load begins at once. A synchronous load
   * would make the caller wait, so it runs in a microtask of its own.
   */
  revalidate(key: Key, entry: StagedEntry, receiver: unknown, args: readonly unknown[]): void {
    if (entry.refreshing || this.#flights.get(key) !== undefined) return;
    retain(key);
    if (entry.isAsync) {
      this.#runInBackground(key, entry, receiver, args);
      return;
    }
    entry.refreshing = true;
    queueMicrotask(() => {
      entry.refreshing = false;
      const isPresent = this.#entries.store.peek(key) === entry;
      const isDue = isPresent && this.#flights.get(key) === undefined;
      if (isDue) this.#runInBackground(key, entry, receiver, args);
      else release(key); // In the meantime, the entry was invalidated or replaced, or a forced load began.
    });
  }

  #runInBackground(
    key: Key,
    entry: StagedEntry,
    receiver: unknown,
    args: readonly unknown[],
  ): void {
    this.#recorder.counters.refreshes++;
    try {
      this.run(key, receiver, args, entry, 'background').promise?.catch(() => {}); // It has been told.
    } catch (error) {
      this.#failedInBackground(error);
    }
  }

  /** Whether the failure of a load is told as that of one in the background. One that is not current was aborted on purpose. */
  #hasNoCallerToTell({ isCurrent, details }: Load): boolean {
    const { background, forced, isAnsweredStale } = details;
    return background ? isCurrent : isAnsweredStale && !forced;
  }

  #failedInBackground(error: unknown): void {
    const { onError, name } = this.#settings;
    this.#recorder.counters.refreshFailures++;
    onError(error, `a background load of the cache '${name}'`);
  }

  /**
   * Begins a forced load. An asynchronous one begins in a microtask, so that all forced calls of one turn share a load that begins
   * after each of them.
   */
  #force(load: Load, receiver: unknown, args: readonly unknown[]): unknown {
    const details = load.ownDetails;
    details.forced = true;
    if (!this.isAsync) return this.#call(load, receiver, args);
    details.isYetToBegin = true;
    return Promise.resolve().then(() => {
      details.isYetToBegin = false;
      return this.#call(load, receiver, args);
    });
  }

  #call(load: Load, receiver: unknown, args: readonly unknown[]): unknown {
    const { load: option, clock } = this.#settings;
    const shared = this.#shared;
    if (option === undefined && shared === undefined) {
      return Reflect.apply(this.#fn, receiver, args);
    }
    const { replaces, forced } = load.details;
    const isOfUse =
      replaces?.failure === undefined &&
      this.#entries.disposals?.isDisposed(replaces?.settled) !== true; // A forced load begins later.
    const stale = isOfUse ? replaces?.settled : undefined;
    const context = new OwnLoadContext(args, stale);
    load.ownDetails.context = context;
    const compute = (): unknown => this.compute(receiver, context);
    if (shared === undefined) return compute();
    load.ownDetails.receiver = receiver;
    const ref = refOf(load.key);
    const isEarly = replaces !== undefined && clock.now() < replaces.expiresAt;
    const isReplacing = replaces !== undefined && replaces.failure === undefined;
    const purpose = { forced, isEarly, isReplacing, origin: replaces?.origin };
    const keyArgs = hasReceiver(ref) ? undefined : argsOf(ref);
    return shared.getOrCompute(context, keyArgs, purpose, compute);
  }

  /** Calls the function, or the option `load` in its place. */
  compute(receiver: unknown, context: OwnLoadContext): unknown {
    const { load } = this.#settings;
    return load === undefined
      ? Reflect.apply(this.#fn, receiver, context.args)
      : Reflect.apply(load, receiver, [context]);
  }

  /** Stores the result of a load, if it is still current. */
  #succeeded(load: Load, result: unknown, settled: unknown, args: readonly unknown[]): void {
    const entries = this.#entries;
    const { context, own, sharedAs, givenAt } = load.details;
    if ((context?.remaining ?? Infinity) <= 0) this.#recorder.servedStale(args, load.callerCount);
    const isSuperseded = load.details.supersededBy !== undefined;
    const terms =
      load.isCurrent || isSuperseded
        ? entries.retention.ofResult(settled, args, context ?? own)
        : undefined;
    // A callback may have invalidated the load. Without a present result, calls wait for the load that has superseded this one.
    const isCurrent = isSuperseded
      ? this.#flights.mayStore(load) && entries.servable(load.key) !== undefined
      : this.#flights.finish(load);
    if (this.#hasInvalidatedTag(load, terms)) load.ownDetails.isOutdated = true;
    if (!isCurrent) return;
    if (terms === undefined || load.details.isOutdated) {
      if (terms !== undefined && !load.details.forced) return; // The entry has none of the invalidated tags.
      entries.remove(load.key, 'replaced');
      this.#forgetShared(load);
    } else {
      const stored = entries.put(load.key, result, settled, terms, load.details.pendingNode);
      this.#keepShared(load, stored, terms);
      if (sharedAs !== undefined) {
        setOrigin(stored, this.#shared?.replace(sharedAs, settled, terms, givenAt));
      }
      if (context?.shared?.found === true) this.#revalidateFound(load, context, stored);
    }
  }

  /** Ends a load that failed. Returns the stale entry that is served instead of the failure, if there is one. */
  #failed(
    load: Load,
    failure: unknown,
    error: unknown,
    how: Failure,
    args: readonly unknown[],
  ): StagedEntry | undefined {
    const { replaces, background, context, own } = load.details;
    load.details.pendingNode?.fail();
    const { clock, retryAfterMillis = background ? BACKGROUND_RETRY_MILLIS : 0 } = this.#settings;
    const now = clock.now();
    const servesStale = (!background || load.hasCaller) && this.#mayServe(replaces, load, now);
    const terms =
      load.isCurrent && !servesStale && own === undefined
        ? this.#entries.retention.ofFailure(error, args, context)
        : undefined;
    if (!this.#flights.finish(load)) return undefined;
    if (context?.replacesInvalidated === true) this.#entries.remove(load.key, 'explicit');
    if (replaces !== undefined && retryAfterMillis > 0) {
      const retryAt = timeAfter(now, retryAfterMillis);
      replaces.setDueAt(Math.max(replaces.dueAt, retryAt));
      if (background && context?.shared !== undefined)
        this.#shared?.pauseUntil(context.shared, retryAt);
    }
    if (servesStale) {
      this.#recorder.servedStale(args, how === 'thrown' ? 1 : load.callerCount);
      return replaces;
    }
    if (terms === undefined || this.#hasInvalidatedTag(load, terms)) return undefined;
    const stored = this.#entries.putFailure(load.key, failure, how, error, terms);
    if (stored !== undefined) this.#keepShared(load, stored, terms);
    return undefined;
  }

  /**
   * Whether an outcome has a tag that was invalidated since its load began. The tags of an outcome that is not kept are unknown, so it
   * counts as one that has them. Another process may have named a tag in its public form.
   */
  #hasInvalidatedTag(load: Load, terms: EntryTerms | undefined): boolean {
    const { invalidatedSince: since } = load.details;
    if (since === undefined) return false;
    if (terms === undefined) return true;
    for (const tag of terms.tags ?? []) {
      const publicForm = this.#shared?.publicForm(tag) ?? tag;
      for (const form of [tag, publicForm])
        if (this.#flights.isInvalidated(form, since)) return true;
    }
    return false;
  }

  /**
   * Whether a load may give a stale result. One that was evicted during the load may have been disposed of, and its tags are unknown: they
   * may have been invalidated since.
   */
  #mayServe(stale: StagedEntry | undefined, load: Load, now: number): stale is StagedEntry {
    const { context, invalidatedSince, background } = load.details;
    // An evicted entry does not know whether the process has trusted its entries since.
    const evenFresh = background && this.#shared === undefined;
    return (
      stale?.replacesFailure(now, evenFresh) === true &&
      context?.replacesInvalidated !== true &&
      (invalidatedSince === undefined || this.#entries.store.peek(load.key) === stale) &&
      this.#entries.disposals?.isDisposed(stale.settled) !== true
    );
  }

  /** Replaces a result that was found in the shared store past its `ttl`, unless it was served in place of a failure. */
  #revalidateFound(load: Load, context: OwnLoadContext, stored: Stored): void {
    const { remaining = Infinity, args, shared } = context;
    const { staleWhileRevalidate, clock } = this.#settings;
    const isServed = -remaining < staleWhileRevalidate;
    if (remaining > 0 || !isServed || !(stored instanceof StagedEntry)) return;
    const pause = this.#shared?.pauseOf(shared as SharedLoad) ?? 0;
    if (clock.now() < pause) stored.setDueAt(pause);
    else this.revalidate(load.key, stored, load.details.receiver, args);
  }

  /** Has the shared level forget the result that a load was to replace, because its own is not kept. */
  #forgetShared({ key, details: { context, forced, replaces } }: Load): void {
    const load = context?.shared;
    const args = argsOf(refOf(key));
    if (load === undefined || load.found || args === undefined) return;
    if (forced || replaces !== undefined) this.#shared?.invalidate(args);
  }

  /** Notes what the shared level says of an outcome that was just stored. */
  #keepShared(from: Load, stored: Stored, terms: EntryTerms): void {
    const { context, supersededBy } = from.details;
    if (supersededBy !== undefined) {
      from.ownDetails.hasStored = true; // The store could get its result after that of a later load.
    } else if (context !== undefined) context.kept = terms;
    const shared = this.#shared;
    if (shared === undefined) return;
    const load = context?.shared;
    if (load !== undefined) {
      const { revision, tokens, tokensRead } = load;
      const hasTags = (terms.tags?.size ?? 0) > 0;
      setOrigin(stored, { revision, tokens: tokens ?? tokensRead, hasTags });
    }
    this.#entries.markStale(stored, shared.freshMillis(context));
  }

  #endShared(load: Load, outcome: LoadOutcome): void {
    const { context } = load.details;
    if (context?.shared !== undefined)
      this.#shared?.loadEnded(context.shared, outcome, context.kept);
  }
}
