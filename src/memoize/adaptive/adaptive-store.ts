/**
 * A bounded store that follows the better of two policies, LRU and S3-FIFO. The algorithm is that of "Adaptive Caches: Effective
 * Shaping of Cache Behavior to Workloads" (Ranjith Subramanian, Yannis Smaragdakis, Gabriel H. Loh; MICRO 2006).
 *
 * Each policy has a shadow: the fingerprints of the keys that it would keep, as if it had the cache for itself. Each call is shown
 * to both shadows. A count says which of them has had fewer misses recently. When the store is full, it evicts an entry that the
 * better shadow does not have. LRU counts as the better one until S3-FIFO has a lead.
 *
 * ```
 *                      ┌─ shadow of LRU      ─┐ fewer recent misses
 *   call ─▶ fingerprint┤                      ├────▶ evict an entry that it does not have
 *                      └─ shadow of S3-FIFO  ─┘
 * ```
 *
 * There always is such an entry: the store is full, and the shadow has the new key beside at most `max - 1` others. The store learns
 * of it when the shadow evicts its fingerprint, so finding it is O(1), amortised. The store has at most twice as many misses as the
 * better policy, and on a workload that suits one of them about as many as that one.
 *
 * With `maxWeight` a shadow has room for as many keys as the store had entries when its weight was last at the limit.
 */
import { Deque } from '../../core/deque.js';
import { type Key, type KeyRef, refOf, release } from '../keys/key-trie.js';
import { fingerprint } from '../s3-fifo/fingerprint.js';
import { S3FifoStore } from '../s3-fifo/s3-fifo-store.js';
import type { BoundedStore, OnRemoved, RemovalCause } from '../stores/store.js';
import type { Stored } from '../stores/stored.js';
import { RecencyList } from './recency-list.js';

/**
 * How many misses that only one policy has count, as a multiple of the room for entries; at least {@link MIN_MEMORY}. Older ones
 * fade.
 */
const MEMORY = 4;
const MIN_MEMORY = 50;

/**
 * How many misses less than LRU S3-FIFO has when it is followed, as a part of the room for entries. On a loop that turns back,
 * S3-FIFO catches up with LRU for a moment, and following it then loses what LRU needs next.
 */
const LEAD = 0.05;

interface Kept {
  stored: Stored;
  readonly print: number;
}

/** Entries by key, at most `max`. */
export class AdaptiveStore implements BoundedStore {
  readonly fastPath = 'get';
  readonly #max: number;
  /** How many entries there is room for: `max`, or fewer because of their weight. */
  #room!: number;
  readonly #onRemoved: OnRemoved;
  readonly #kept = new Map<Key, Kept>();
  readonly #keys = new Map<number, Key>();
  #lru!: RecencyList;
  #s3!: S3FifoStore;
  /** Fingerprints that a shadow has evicted, and the store may still have. */
  #strayOfLru = new Deque<number>();
  #strayOfS3 = new Deque<number>();
  /** The recent misses of LRU less those of S3-FIFO. */
  #balance = 0;

  constructor(max: number, onRemoved: OnRemoved) {
    this.#max = max;
    this.#onRemoved = onRemoved;
    this.#empty();
  }

  get size(): number {
    return this.#kept.size;
  }

  get(key: Key): Stored {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    this.#show(kept.print);
    return kept.stored;
  }

  peek(key: Key): Stored {
    return this.#kept.get(key)?.stored;
  }

  /** Replaces the value of an entry, which counts as a use; or adds an entry. */
  set(key: Key, stored: NonNullable<Stored>): boolean {
    const kept = this.#kept.get(key);
    if (kept === undefined) return this.add(key, stored);
    const replaced = kept.stored;
    this.#show(kept.print);
    kept.stored = stored;
    this.#onRemoved(refOf(key), replaced, 'replaced');
    return true;
  }

  add(key: Key, stored: NonNullable<Stored>): boolean {
    const print = fingerprint(key);
    this.#show(print);
    while (this.size >= this.#max) this.#evict();
    if (typeof key === 'object') key.retain();
    this.#kept.set(key, { stored, print });
    this.#keys.set(print, key);
    this.#room = Math.max(this.#room, this.size);
    return true;
  }

  delete(key: Key, cause: RemovalCause): boolean {
    const kept = this.#kept.get(key);
    if (kept === undefined) return false;
    this.#lru.delete(kept.print);
    this.#s3.delete(kept.print, cause);
    this.#remove(key, kept, cause);
    return true;
  }

  evict(): boolean {
    this.#room = Math.max(1, this.size - 1); // The weight is at its limit.
    this.#trimLru(this.#room);
    this.#trimS3(this.#room);
    return this.#evict();
  }

  #evict(): boolean {
    const key = this.#nextStray() ?? this.#kept.keys().next().value;
    const kept = key === undefined ? undefined : this.#kept.get(key);
    if (key === undefined || kept === undefined) return false;
    this.#remove(key, kept, 'size');
    return true;
  }

  clear(): void {
    this.#kept.clear();
    this.#keys.clear();
    this.#empty();
  }

  *refs(): IterableIterator<KeyRef> {
    for (const key of this.#kept.keys()) yield refOf(key);
  }

  present(): IterableIterator<KeyRef> {
    return this.refs();
  }

  /** Shows a use to both shadows. */
  #show(print: number): void {
    const isHitOfLru = this.#lru.use(print);
    const isHitOfS3 = this.#s3.get(print) !== undefined;
    if (!isHitOfLru) this.#trimLru(this.#room);
    if (!isHitOfS3) {
      this.#trimS3(this.#room - 1);
      this.#s3.add(print, true);
    }
    if (isHitOfLru !== isHitOfS3) {
      const memory = Math.max(MIN_MEMORY, Math.min(this.#room, 1e6) * MEMORY);
      this.#balance = this.#balance * (1 - 1 / memory) + (isHitOfS3 ? 1 : -1);
    }
  }

  #trimLru(room: number): void {
    while (this.#lru.size > room) {
      this.#strayOfLru = this.#stray(this.#strayOfLru, this.#lru.evict());
    }
  }

  #trimS3(room: number): void {
    while (this.#s3.size > room) this.#s3.evict();
  }

  /** An entry that the better shadow does not have. */
  #nextStray(): Key | undefined {
    const followsLru = this.#balance <= LEAD * this.#room;
    const strays = followsLru ? this.#strayOfLru : this.#strayOfS3;
    for (let print = strays.shift(); print !== undefined; print = strays.shift()) {
      const isThere = followsLru ? this.#lru.has(print) : this.#s3.peek(print) !== undefined;
      const key = isThere ? undefined : this.#keys.get(print);
      if (key !== undefined) return key;
    }
    return undefined;
  }

  #remove(key: Key, { stored, print }: Kept, cause: RemovalCause): void {
    this.#kept.delete(key);
    const named = this.#keys.get(print);
    if (named !== undefined && !this.#kept.has(named)) this.#keys.delete(print); // Not by ===, because a key may be NaN.
    this.#onRemoved(refOf(key), stored, cause);
    release(key);
  }

  #stray(strays: Deque<number>, print: number): Deque<number> {
    if (!this.#keys.has(print)) return strays;
    strays.push(print);
    if (strays.length <= 2 * this.#room) return strays;
    // The other policy leads, and repeated evictions of one key pile up. One of each is enough.
    const once = new Set<number>();
    for (let each = strays.shift(); each !== undefined; each = strays.shift()) {
      if (this.#keys.has(each)) once.add(each);
    }
    const rest = new Deque<number>();
    for (const each of once) rest.push(each);
    return rest;
  }

  #empty(): void {
    this.#strayOfLru = new Deque();
    this.#strayOfS3 = new Deque();
    this.#balance = 0;
    this.#room = this.#max;
    this.#lru = new RecencyList();
    this.#s3 = new S3FifoStore(this.#max, (ref, _, cause) => {
      if (cause === 'size') this.#strayOfS3 = this.#stray(this.#strayOfS3, ref as number);
    });
  }
}
