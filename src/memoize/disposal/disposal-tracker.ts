/**
 * Reference counts of cached results. A result is disposed of once: after its entry has left and its last lease is released.
 * Several entries with one result share one count.
 *
 * Entries leave in the middle of the store's work, and a disposal runs user code, which may call the cache. So a removal is only
 * recorded at first. `disposeUnused` drops the references when the store is consistent again.
 *
 * Results are kept by the reference to their key. So the result of an entry that was collected with an object in its key can
 * still be disposed of.
 */

import { isObject } from '../../core/is-object.js';
import type { Origin } from '../../core/probe.js';
import { isThenable, onceSettled } from '../../core/thenable.js';
import { asyncDisposeMethod, isDisposable } from '../../scope/dispose-method.js';
import { SharedValue } from '../../scope/shared-value.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import type { CacheWatch } from '../cache-watch.js';
import type { Disposals, DisposeCallback, SettledLoad } from '../disposal-port.js';
import { argsOf, type KeyRef, refOf } from '../keys/key-trie.js';
import { isOutdated, mayBeOutdated } from '../loading/joined-loads.js';
import type { Load } from '../loading/load.js';
import type { MemoCache } from '../memo-cache.js';
import type { RemovalCause } from '../stores/store.js';
import { watchedLease } from './watched-lease.js';

interface Removal {
  readonly shared: SharedValue<unknown>;
  /** Reports the end of the entry, while the cache is watched. */
  readonly reportEnd: ((disposal?: Promise<unknown>) => void) | undefined;
  readonly ref: KeyRef;
  readonly cause: RemovalCause;
}

/** The callers that wait for a load, and get a lease when it has settled. */
interface LeaseWaits {
  count: number;
  shared: SharedValue<unknown> | undefined;
}

/** The results of one cache and their holders. */
export class DisposalTracker implements Disposals {
  watch: CacheWatch | null = null;
  readonly #onDispose: DisposeCallback<unknown, unknown> | undefined;
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #byRef = new Map<KeyRef, SharedValue<unknown>>();
  readonly #byValue = new WeakMap<WeakKey, SharedValue<unknown>>();
  /** The key and the cause of a result's last removal. */
  readonly #lastRemoval = new WeakMap<
    SharedValue<unknown>,
    { key: unknown; cause: RemovalCause }
  >();
  readonly #waits = new WeakMap<object, LeaseWaits>();
  /** The disposals that run, and never reject. */
  readonly #running = new WeakMap<SharedValue<unknown>, Promise<unknown>>();
  #removed: Removal[] = [];

  constructor(
    onDispose: DisposeCallback<unknown, unknown> | undefined,
    cache: CacheIdentity,
    counters: CacheCounters,
  ) {
    this.#onDispose = onDispose;
    this.#cache = cache;
    this.#counters = counters;
  }

  entryAdded(ref: KeyRef, value: unknown): void {
    const shared = this.#shared(value);
    shared.hold();
    this.#byRef.set(ref, shared);
  }

  entryRemoved(ref: KeyRef, cause: RemovalCause): void {
    const shared = this.#byRef.get(ref);
    if (shared === undefined) return; // The entry of a failure.
    this.#byRef.delete(ref);
    this.#removed.push({ shared, ref, cause, reportEnd: this.watch?.detach(ref) });
  }

  allRemoved(): void {
    for (const ref of [...this.#byRef.keys()]) this.entryRemoved(ref, 'explicit');
  }

  disposeUnused(): void {
    while (this.#removed.length > 0) {
      const removed = this.#removed;
      this.#removed = [];
      for (const { shared, ref, cause, reportEnd } of removed) {
        this.#lastRemoval.set(shared, { key: this.#keyOf(ref), cause });
        shared.drop();
        reportEnd?.(this.#running.get(shared));
      }
    }
  }

  isDisposed(value: unknown): boolean {
    return isObject(value) && this.#byValue.get(value)?.ended === true;
  }

  loadSettled(load: SettledLoad, value: unknown): void {
    const ref = refOf(load.key);
    const waits = this.#waits.get(load);
    if (!load.hasCaller) {
      const unclaimed = this.#hold(ref, value, 1);
      if (!this.#lastRemoval.has(unclaimed)) {
        this.#lastRemoval.set(unclaimed, { key: this.#keyOf(ref), cause: 'explicit' });
      }
      unclaimed.drop();
    } else if (waits !== undefined) {
      this.#waits.delete(load);
      waits.shared = this.#hold(ref, value, waits.count);
    }
  }

  lease(
    cache: MemoCache,
    receiver: unknown,
    args: readonly unknown[],
    origin: Origin | undefined,
  ): unknown {
    // A listener may forget the result before it is held.
    return cache.contents.entries.deferred(() => this.#lease(cache, receiver, args, origin));
  }

  #lease(
    cache: MemoCache,
    receiver: unknown,
    args: readonly unknown[],
    origin: Origin | undefined,
  ): unknown {
    const found = cache.find(receiver, args);
    if (found === undefined) {
      const result = cache.callUncached(receiver, args);
      const leased = (value: unknown) =>
        this.#leaseHeld(this.#hold(undefined, value, 1), undefined, origin);
      return isThenable(result) ? onceSettled(result, leased) : leased(result);
    }
    const ref = refOf(found.key);
    if (found.load === undefined) {
      const { answer } = found;
      const shared = this.#heldBy(ref);
      if (shared === undefined) return answer; // A remembered failure, as a rejected promise.
      shared.hold();
      const lease = this.#leaseHeld(shared, ref, origin);
      return isThenable(answer) ? Promise.resolve(lease) : lease;
    }
    const { load, isJoined } = found;
    const { promise } = load;
    if (promise === undefined) {
      const { replaces } = load.details;
      const isStale = replaces !== undefined && load.result === replaces.result;
      const value = isStale ? replaces.settled : load.result;
      const lease = this.#leaseHeld(this.#hold(ref, value, 1), ref, origin);
      return isStale && replaces.isAsync ? Promise.resolve(lease) : lease;
    }
    if (isJoined) this.#counters.joins++;
    const answer = isJoined ? cache.loader.resultFor(load, args) : load.result;
    const { replaces } = load.details;
    if (replaces !== undefined && load.hasAnswered(answer)) {
      return Promise.resolve(this.#leaseHeld(this.#hold(ref, replaces.settled, 1), ref, origin));
    }
    const waits = this.#waitFor(load);
    const asks = isJoined && mayBeOutdated(load, cache.shared);
    const leased = (isOld: boolean) => {
      const { shared } = waits;
      if (!isOld && shared !== undefined) return this.#leaseHeld(shared, ref, origin);
      shared?.drop(); // The result was invalidated before this call, or is that of another load.
      return this.lease(cache, receiver, args, origin);
    };
    return (answer as Promise<unknown>).then(() =>
      asks ? isOutdated(load, cache.shared).then(leased) : leased(false),
    );
  }

  /** Gives a lease on a hold that was added, and reports it if the caller is known. */
  #leaseHeld(shared: SharedValue<unknown>, ref: KeyRef | undefined, origin: Origin | undefined) {
    const lease = shared.leaseHeld();
    return this.watch === null || origin === undefined
      ? lease
      : watchedLease(lease, this.watch, ref, origin, () => this.#running.get(shared));
  }

  #waitFor(load: Load): LeaseWaits {
    let waits = this.#waits.get(load);
    if (waits === undefined) {
      waits = { count: 0, shared: undefined };
      this.#waits.set(load, waits);
    }
    waits.count++;
    load.callers++;
    return waits;
  }

  /** Holds `value` for leases, whether an entry holds it or not. */
  #hold(ref: KeyRef | undefined, value: unknown, leases: number): SharedValue<unknown> {
    const held = ref === undefined ? undefined : this.#heldBy(ref);
    const shared = held !== undefined && Object.is(held.value, value) ? held : this.#shared(value);
    for (let i = 0; i < leases; i++) shared.hold();
    return shared;
  }

  /** The result that the entry of a key holds, or that a removed entry still holds until its disposal. */
  #heldBy(ref: KeyRef): SharedValue<unknown> | undefined {
    return this.#byRef.get(ref) ?? this.#removed.findLast((removal) => removal.ref === ref)?.shared;
  }

  #shared(value: unknown): SharedValue<unknown> {
    if (!isObject(value)) return new SharedValue(value, this.#dispose);
    const known = this.#byValue.get(value);
    if (known !== undefined && !known.ended) return known;
    const shared = new SharedValue<unknown>(value, this.#dispose);
    this.#byValue.set(value, shared);
    return shared;
  }

  #keyOf(ref: KeyRef): unknown {
    const args = argsOf(ref);
    return this.#cache.key === undefined ? args : args?.[0];
  }

  readonly #dispose = (shared: SharedValue<unknown>): void => {
    const { value } = shared;
    try {
      let outcome: unknown;
      if (this.#onDispose !== undefined) {
        const { key, cause = 'explicit' } = this.#lastRemoval.get(shared) ?? {};
        this.#counters.disposals++;
        outcome = this.#onDispose(value, key, cause);
      } else if (isDisposable(value)) {
        this.#counters.disposals++;
        outcome = Reflect.apply(asyncDisposeMethod(value), value, []);
      }
      if (isThenable(outcome)) {
        const running = onceSettled(outcome, undefined, (error) => this.#failed(error));
        this.#running.set(shared, running);
      }
    } catch (error) {
      this.#failed(error);
    }
  };

  #failed(error: unknown): void {
    this.#counters.disposeFailures++;
    this.#cache.onError(error, `a disposal in the cache '${this.#cache.name}'`);
  }
}
