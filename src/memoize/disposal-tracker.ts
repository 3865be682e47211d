/**
 * Who still uses what, in a cache that disposes of its results. Each entry holds its result, and so does each lease;
 * when neither does any more, the result is disposed of, once. Several entries with one result share one count.
 *
 * Entries go in the middle of what the store does, and a disposal runs code of the user's, which may call the cache
 * again: so those that went are only noted, and {@link Custody.settle} lets go of them when the store is in order.
 *
 * A result is held by the handle of its entry: if an object in the key dies, the entry goes without a word, but its
 * result is still there to be disposed of.
 */

import { isThenable } from '../core/thenable.js';
import { asyncDisposeMethod } from '../scope/dispose-method.js';
import { type SharedLease, SharedValue } from '../scope/shared-value.js';
import type { CacheCounters } from './cache-counters.js';
import { isObject } from './keys/key-level.js';
import { argsOf, type Handle } from './keys/key-trie.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { RemovalCause } from './stores/store.js';

interface Dismissal {
  readonly shared: SharedValue<unknown>;
  readonly handle: Handle;
  readonly cause: RemovalCause;
}

/** The results of one cache and who holds them. */
export class Custody {
  readonly #settings: MemoizeSettings;
  readonly #counters: CacheCounters;
  readonly #byHandle = new Map<Handle, SharedValue<unknown>>();
  readonly #byValue = new WeakMap<WeakKey, SharedValue<unknown>>();
  /** Why, and from where, a result last went. */
  readonly #lastDismissal = new WeakMap<
    SharedValue<unknown>,
    { key: unknown; cause: RemovalCause }
  >();
  #due: Dismissal[] = [];

  constructor(settings: MemoizeSettings, counters: CacheCounters) {
    this.#settings = settings;
    this.#counters = counters;
  }

  /** An entry holds `value` from now on. */
  admit(handle: Handle, value: unknown): void {
    const shared = this.#shared(value);
    shared.hold();
    this.#byHandle.set(handle, shared);
  }

  /** An entry has gone; {@link settle} will let go of its result. */
  dismiss(handle: Handle, cause: RemovalCause): void {
    const shared = this.#byHandle.get(handle);
    if (shared === undefined) return; // A failure has nothing to dispose of.
    this.#byHandle.delete(handle);
    this.#due.push({ shared, handle, cause });
  }

  /** All entries have gone. */
  dismissAll(): void {
    for (const handle of [...this.#byHandle.keys()]) this.dismiss(handle, 'explicit');
  }

  /** Lets go of the results of the entries that have gone. */
  settle(): void {
    while (this.#due.length > 0) {
      const due = this.#due;
      this.#due = [];
      for (const { shared, handle, cause } of due) {
        this.#lastDismissal.set(shared, { key: this.#keyOf(handle), cause });
        shared.drop();
      }
    }
  }

  /** A lease on what an entry holds. */
  lease(handle: Handle): SharedLease<unknown> | undefined {
    return this.#byHandle.get(handle)?.lease();
  }

  /** Takes hold of `value` for callers who will be given leases on it, whether the entry holds it or not. */
  reserve(handle: Handle | undefined, value: unknown, lessees: number): SharedValue<unknown> {
    const held = handle === undefined ? undefined : this.#byHandle.get(handle);
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

  #keyOf(handle: Handle): unknown {
    const args = argsOf(handle);
    return this.#settings.key === undefined ? args : args?.[0];
  }

  readonly #dispose = (shared: SharedValue<unknown>): void => {
    const { dispose } = this.#settings;
    const { value } = shared;
    try {
      let outcome: unknown;
      if (typeof dispose === 'function') {
        const { key, cause } = this.#lastDismissal.get(shared) ?? {
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
