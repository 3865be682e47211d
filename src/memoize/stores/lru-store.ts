/**
 * The bounded store: lru-cache's list of entries, least recently used first out.
 *
 * lru-cache allocates arrays for its whole capacity when it is made: 23 KiB and tens of microseconds for a thousand entries. A
 * service with many caches, or a cache with a large `max` that never fills, must not pay for that. So nothing is made before
 * the first entry, and the capacity quadruples up to `max` as the store fills. Each entry is copied a third of a time on
 * average.
 *
 * Only lru-cache's get, set, delete, peek, pop, iteration and dispose are used. Expiry belongs to the entry: lru-cache needs a
 * timer to read its clock cheaply, and a `ttl` above 2^31 ms must work too.
 */
import { LRUCache } from 'lru-cache';
import { type Key, type KeyRef, refOf, release } from '../keys/key-trie.js';
import type { FastState, ReadableMap } from './fast-state.js';
import type { BoundedStore, OnRemoved, RemovalCause } from './store.js';
import type { Stored } from './stored.js';

/** The list of a cache without entries. */
const NO_LIST: ReadableMap<unknown> = /* @__PURE__ */ new LRUCache({ max: 1 });

const FIRST_CAPACITY = 16;
const GROWTH = 4;

/** Entries by key, at most `max`. */
export class LruStore implements BoundedStore {
  /** The list at its present capacity; `undefined` before the first entry. */
  lru: LRUCache<Key, NonNullable<Stored>> | undefined = undefined;
  readonly #max: number;
  readonly #onRemoved: OnRemoved;
  readonly fastPath = 'list';
  readonly #fast: FastState;
  #capacity = 0;
  #deleting: RemovalCause = 'explicit';

  constructor(max: number, onRemoved: OnRemoved, fast: FastState) {
    this.#max = max;
    this.#onRemoved = onRemoved;
    this.#fast = fast;
    fast.setResults(NO_LIST, NO_LIST);
  }

  get size(): number {
    return this.lru?.size ?? 0;
  }

  get(key: Key): Stored {
    return this.lru?.get(key);
  }

  peek(key: Key): Stored {
    return this.lru?.peek(key);
  }

  set(key: Key, stored: NonNullable<Stored>): boolean {
    // lru-cache does not call `dispose` when a value replaces itself, but it is a new entry here.
    if (this.lru?.peek(key) === stored) this.delete(key, 'replaced');
    return this.add(key, stored);
  }

  add(key: Key, stored: NonNullable<Stored>): boolean {
    let lru = this.lru;
    if (lru === undefined || (lru.size === this.#capacity && this.#capacity < this.#max)) {
      lru = this.#grow();
    }
    if (typeof key === 'object') key.retain();
    lru.set(key, stored);
    return true;
  }

  delete(key: Key, cause: RemovalCause): boolean {
    this.#deleting = cause;
    return this.lru?.delete(key) ?? false;
  }

  evict(): boolean {
    return this.lru?.pop() !== undefined;
  }

  clear(): void {
    this.lru = undefined;
    this.#fast.setResults(NO_LIST, NO_LIST);
    this.#capacity = 0;
  }

  *refs(): IterableIterator<KeyRef> {
    for (const key of this.lru?.rkeys() ?? []) yield refOf(key);
  }

  /** Reads the map of keys, whose order no use changes. A larger cache replaces it, so the iteration then begins anew. */
  *present(): IterableIterator<KeyRef> {
    for (let lru = this.lru; lru !== undefined; lru = this.lru === lru ? undefined : this.lru) {
      for (const key of LRUCache.unsafeExposeInternals(lru).keyMap.keys()) {
        yield refOf(key);
        if (this.lru !== lru) break;
      }
    }
  }

  #grow(): LRUCache<Key, NonNullable<Stored>> {
    const smaller = this.lru;
    this.#capacity = Math.min(this.#max, Math.max(FIRST_CAPACITY, this.#capacity * GROWTH));
    const larger = new LRUCache<Key, NonNullable<Stored>>({
      max: this.#capacity,
      dispose: (stored, key, reason) => {
        const cause = reason === 'evict' ? 'size' : reason === 'set' ? 'replaced' : this.#deleting;
        this.#onRemoved(refOf(key), stored, cause);
        release(key);
      },
    });
    smaller?.rforEach((stored, key) => larger.set(key, stored)); // Least recently used first keeps the order.
    this.lru = larger;
    this.#fast.setResults(larger as ReadableMap<unknown>, NO_LIST);
    return larger;
  }
}
