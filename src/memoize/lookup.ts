/** What a caller is given out of the store: whether a stored may be served now, and what that sets going. */
import type { CacheCounters } from './cache-counters.js';
import type { Entries } from './entries.js';
import type { Key } from './keys/key-trie.js';
import type { Loader } from './loading/loader.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { FastState } from './stores/fast-state.js';
import { StagedEntry } from './stores/staged-entry.js';
import { Entry, type Stored, UNDEFINED } from './stores/stored.js';

/** The answer when there is nothing to serve. */
export const MISS: unique symbol = Symbol('miss');

/** Looks at stored with the clock in hand. */
export class Lookup {
  readonly #settings: MemoizeSettings;
  readonly #shelf: Entries;
  readonly #loader: Loader;
  readonly #counters: CacheCounters;
  readonly #fast: FastState;

  constructor(
    settings: MemoizeSettings,
    shelf: Entries,
    loader: Loader,
    counters: CacheCounters,
    fast: FastState,
  ) {
    this.#settings = settings;
    this.#shelf = shelf;
    this.#loader = loader;
    this.#counters = counters;
    this.#fast = fast;
  }

  /** What a caller is given out of a stored, or {@link MISS}. Throws a failure that is remembered. */
  serve(key: Key, stored: Stored, receiver: unknown, args: readonly unknown[]): unknown {
    if (!(stored instanceof Entry)) {
      this.#fast.hits++;
      return stored === UNDEFINED ? undefined : stored;
    }
    const now = this.#settings.clock.now();
    if (now < stored.freshUntil) {
      this.#fast.hits++;
      return stored.value;
    }
    if (stored.isDead(now)) {
      this.#removeDead(key, stored);
      return MISS;
    }
    if (!(stored instanceof StagedEntry) || !stored.isServable(now)) return MISS;
    this.#fast.hits++;
    if (stored.failure === 'thrown') throw stored.settled;
    if (now >= stored.expiresAt) this.#counters.staleHits++;
    if (now >= Math.min(stored.expiresAt, stored.refreshAt)) {
      this.#loader.revalidate(key, stored, receiver, args);
    }
    return stored.result;
  }

  /** The stored if a call would be served from it; a dead one is removed. */
  servable(key: Key): Stored {
    const stored = this.#shelf.store.peek(key);
    if (!(stored instanceof Entry)) return stored;
    const now = this.#settings.clock.now();
    if (stored.isDead(now)) {
      this.#removeDead(key, stored);
      return undefined;
    }
    if (!(stored instanceof StagedEntry)) return stored;
    return stored.failure === undefined && stored.isServable(now) ? stored : undefined;
  }

  #removeDead(key: Key, stored: Entry): void {
    const collected = stored instanceof StagedEntry && stored.collected;
    this.#shelf.remove(key, collected ? 'collected' : 'expired');
  }
}
