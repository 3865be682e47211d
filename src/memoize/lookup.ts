/** What a caller is given out of the store: whether a slot may be served now, and what that sets going. */
import type { CacheCounters } from './cache-counters.js';
import type { Shelf } from './entries.js';
import type { Key } from './keys/key-trie.js';
import type { Loader } from './loading/loader.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { FastState } from './stores/fast-state.js';
import { LivedEntry } from './stores/staged-entry.js';
import { Entry, type Slot, UNDEFINED } from './stores/stored.js';

/** The answer when there is nothing to serve. */
export const MISS: unique symbol = Symbol('miss');

/** Looks at slots with the clock in hand. */
export class Lookup {
  readonly #settings: MemoizeSettings;
  readonly #shelf: Shelf;
  readonly #loader: Loader;
  readonly #counters: CacheCounters;
  readonly #fast: FastState;

  constructor(
    settings: MemoizeSettings,
    shelf: Shelf,
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

  /** What a caller is given out of a slot, or {@link MISS}. Throws a failure that is remembered. */
  serve(key: Key, slot: Slot, receiver: unknown, args: readonly unknown[]): unknown {
    if (!(slot instanceof Entry)) {
      this.#fast.hits++;
      return slot === UNDEFINED ? undefined : slot;
    }
    const now = this.#settings.clock.now();
    if (now < slot.freshUntil) {
      this.#fast.hits++;
      return slot.value;
    }
    if (slot.isDead(now)) {
      this.#bury(key, slot);
      return MISS;
    }
    if (!(slot instanceof LivedEntry) || !slot.isServed(now)) return MISS;
    this.#fast.hits++;
    if (slot.failure === 'thrown') throw slot.settled;
    if (now >= slot.expiresAt) this.#counters.staleHits++;
    if (now >= Math.min(slot.expiresAt, slot.refreshAt)) {
      this.#loader.revalidate(key, slot, receiver, args);
    }
    return slot.result;
  }

  /** The slot if a call would be served from it; a dead one is removed. */
  servable(key: Key): Slot {
    const slot = this.#shelf.store.peek(key);
    if (!(slot instanceof Entry)) return slot;
    const now = this.#settings.clock.now();
    if (slot.isDead(now)) {
      this.#bury(key, slot);
      return undefined;
    }
    if (!(slot instanceof LivedEntry)) return slot;
    return slot.failure === undefined && slot.isServed(now) ? slot : undefined;
  }

  #bury(key: Key, slot: Entry): void {
    const collected = slot instanceof LivedEntry && slot.collected;
    this.#shelf.remove(key, collected ? 'collected' : 'expired');
  }
}
