/**
 * Who still uses what, in a cache that disposes of its results. Each entry holds its result, and so does each lease;
 * when neither does any more, the result is disposed of, once. Several entries with one result share one count.
 *
 * Entries go in the middle of what the store does, and a disposal runs code of the user's, which may call the cache
 * again: so those that went are only noted, and {@link DisposalTracker.disposeUnused} lets go of them when the store is in order.
 *
 * A result is held by the ref of its entry: if an object in the key dies, the entry goes without a word, but its
 * result is still there to be disposed of.
 */

import { isThenable } from '../core/thenable.js';
import { asyncDisposeMethod } from '../scope/dispose-method.js';
import { type SharedLease, SharedValue } from '../scope/shared-value.js';
import type { CacheCounters } from './cache-counters.js';
import { isObject } from './keys/key-level.js';
import { argsOf, type KeyRef } from './keys/key-trie.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { RemovalCause } from './stores/store.js';

interface Removal {
  readonly shared: SharedValue<unknown>;
  readonly ref: KeyRef;
  readonly cause: RemovalCause;
}

/** The results of one cache and who holds them. */
export class DisposalTracker {
  readonly #settings: MemoizeSettings;
  readonly #counters: CacheCounters;
  readonly #byRef = new Map<KeyRef, SharedValue<unknown>>();
  readonly #byValue = new WeakMap<WeakKey, SharedValue<unknown>>();
  /** Why, and from where, a result last went. */
  readonly #lastRemoval = new WeakMap<
    SharedValue<unknown>,
    { key: unknown; cause: RemovalCause }
  >();
  #removed: Removal[] = [];

  constructor(settings: MemoizeSettings, counters: CacheCounters) {
    this.#settings = settings;
    this.#counters = counters;
  }

  /** An entry holds `value` from now on. */
  entryAdded(ref: KeyRef, value: unknown): void {
    const shared = this.#shared(value);
    shared.hold();
    this.#byRef.set(ref, shared);
  }

  /** An entry has gone; {@link disposeUnused} will let go of its result. */
  entryRemoved(ref: KeyRef, cause: RemovalCause): void {
    const shared = this.#byRef.get(ref);
    if (shared === undefined) return; // A failure has nothing to dispose of.
    this.#byRef.delete(ref);
    this.#removed.push({ shared, ref, cause });
  }

  /** All entries have gone. */
  allRemoved(): void {
    for (const ref of [...this.#byRef.keys()]) this.entryRemoved(ref, 'explicit');
  }

  /** Lets go of the results of the entries that have gone. */
  disposeUnused(): void {
    while (this.#removed.length > 0) {
      const due = this.#removed;
      this.#removed = [];
      for (const { shared, ref, cause } of due) {
        this.#lastRemoval.set(shared, { key: this.#keyOf(ref), cause });
        shared.drop();
      }
    }
  }

  /** A lease on what an entry holds. */
  lease(ref: KeyRef): SharedLease<unknown> | undefined {
    return this.#byRef.get(ref)?.lease();
  }

  /** Takes hold of `value` for callers who will be given leases on it, whether the entry holds it or not. */
  reserve(ref: KeyRef | undefined, value: unknown, lessees: number): SharedValue<unknown> {
    const held = ref === undefined ? undefined : this.#byRef.get(ref);
    const shared = held !== undefined && held.value === value ? held : this.#shared(value);
    for (let i = 0; i < lessees; i++) shared.hold();
    return shared;
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
    return this.#settings.key === undefined ? args : args?.[0];
  }

  readonly #dispose = (shared: SharedValue<unknown>): void => {
    const { dispose } = this.#settings;
    const { value } = shared;
    try {
      let outcome: unknown;
      if (typeof dispose === 'function') {
        const { key, cause } = this.#lastRemoval.get(shared) ?? {
          key: undefined,
          cause: 'explicit',
        };
        this.#counters.disposals++;
        outcome = dispose(value, key, cause);
      } else if (isDisposable(value)) {
        this.#counters.disposals++;
        outcome = Reflect.apply(asyncDisposeMethod(value), value, []);
      }
      if (isThenable(outcome)) {
        Promise.resolve(outcome).catch((error: unknown) => this.#failed(error));
      }
    } catch (error) {
      this.#failed(error);
    }
  };

  #failed(error: unknown): void {
    this.#counters.disposeFailures++;
    this.#settings.onError(error, `a disposal in the cache '${this.#settings.name}'`);
  }
}

function isDisposable(value: unknown): value is object {
  if (!isObject(value)) return false;
  return Symbol.dispose in value || Symbol.asyncDispose in value;
}
