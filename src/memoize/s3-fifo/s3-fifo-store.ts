/**
 * A bounded store that keeps the entries which are used repeatedly. The algorithm is S3-FIFO, from "FIFO queues are all you
 * need for cache eviction" (Juncheng Yang, Yazhuo Zhang, Ziyue Qiu, Yao Yue, K. V. Rashmi; SOSP 2023).
 *
 * ## Eviction
 *
 * Most keys of most workloads are used once. In an LRU list such a key moves through the whole list before it leaves. It displaces
 * entries that would have been hit.
 *
 * - **Small queue**: a new entry begins here. This queue has a tenth of all entries. An entry with two hits moves on to the main
 *   queue. Any other is evicted, and its fingerprint goes into the ghost queue.
 * - **Ghost queue**: fingerprints of evicted entries, as many as the main queue has entries. An entry that is stored again while
 *   its fingerprint is here enters the main queue at once.
 * - **Main queue**: a FIFO with second chances. An entry at its end that was hit is put at the front again, once for each hit,
 *   at most three times.
 *
 * ```
 *              new ──▶ ┌ small: 1/10 ┐ ──hit twice──▶ ┌ main: 9/10 ───────┐ ──▶ out
 *                      └─────────────┘                └───────────────────┘
 *                             │ not                      ▲           │ hit
 *                             ▼                          │           ▼
 *                       ghost: fingerprints ──comes back─┘◀── once more, one hit less
 * ```
 *
 * ## Cost
 *
 * A hit moves no entry: it adds one to a count of two bits. An eviction may move several entries to the front, but each move
 * uses up one hit. So every operation is O(1), amortised. A scan over many keys cannot displace the main queue.
 *
 * ## Memory
 *
 * Entries are stored in parallel arrays and linked by index. This takes a quarter of the memory that one object per entry would
 * take. Indices 0 and 1 are the ends of the two queues. The arrays double as they fill, and the ghost queue is made at the first
 * eviction. So a cache that never fills uses memory for its present entries only.
 *
 * ## Departures from the paper
 *
 * The paper has no expiry. Here an entry that expires in the main queue also leaves its fingerprint, and so does one whose next
 * result is heavier. Otherwise each `ttl` would send the most used entries through the small queue again. With `maxWeight` the
 * queues are still measured in entries, because a weight does not tell how often an entry is used.
 */

import { type Key, type KeyRef, refOf, release } from '../keys/key-trie.js';
import type { BoundedStore, OnRemoved, RemovalCause } from '../stores/store.js';
import type { Stored } from '../stores/stored.js';
import { fingerprint } from './fingerprint.js';
import { GhostQueue } from './ghost-queue.js';

const SMALL = 0;
const MAIN = 1;
const FIRST_PLACE = 2;
const FIRST_CAPACITY = 64;

/** The part of all entries that the small queue holds. */
const SMALL_PART = 0.1;
/** How many hits in the small queue move an entry to the main queue. */
const HITS_TO_STAY = 2;
/** Bits of a mark: the number of hits, up to 3, and whether the entry is in the main queue. */
const HITS = 3;
const IN_MAIN = 4;

/** Entries by key, at most `max`. */
export class S3FifoStore implements BoundedStore {
  readonly fastPath = 'get';
  readonly #max: number;
  readonly #onRemoved: OnRemoved;
  readonly #places = new Map<Key, number>();
  #keys: Key[] = [0, 0];
  #stored: Stored[] = [undefined, undefined];
  #marks = new Uint8Array(FIRST_CAPACITY);
  /** The next older entry of a queue; at the end of a queue, the newest. */
  #older = new Uint32Array(FIRST_CAPACITY);
  /** The next newer entry of a queue; at the end of a queue, the oldest. */
  #newer = new Uint32Array(FIRST_CAPACITY);
  #smallSize = 0;
  /** The first free place, linked to the next by `#older`; 0 for none. */
  #firstFree = 0;
  #ghost: GhostQueue | undefined = undefined;

  constructor(max: number, onRemoved: OnRemoved) {
    this.#max = max;
    this.#onRemoved = onRemoved;
    this.#empty();
  }

  get size(): number {
    return this.#places.size;
  }

  get(key: Key): Stored {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    this.#hit(place);
    return this.#stored[place];
  }

  peek(key: Key): Stored {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#stored[place];
  }

  /** Replaces the value of an entry in its place, which counts as a use; or adds an entry. */
  set(key: Key, stored: NonNullable<Stored>): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return this.add(key, stored);
    const replaced = this.#stored[place];
    this.#hit(place);
    this.#stored[place] = stored;
    this.#onRemoved(refOf(key), replaced, 'replaced');
    return true;
  }

  add(key: Key, stored: NonNullable<Stored>): boolean {
    while (this.size >= this.#max) this.evict();
    if (typeof key === 'object') key.retain();
    const known = this.#ghost?.take(fingerprint(key)) === true;
    const place = this.#takePlace();
    this.#places.set(key, place);
    this.#keys[place] = key;
    this.#stored[place] = stored;
    this.#marks[place] = 0;
    this.#link(place, known ? MAIN : SMALL);
    return true;
  }

  delete(key: Key, cause: RemovalCause): boolean {
    const place = this.#places.get(key);
    if (place === undefined) return false;
    const comesBack = cause === 'expired' || cause === 'replaced';
    if (comesBack && this.#isInMain(place)) this.#remember(key);
    this.#remove(key, place, cause);
    return true;
  }

  evict(): boolean {
    while (this.size > 0) {
      const fromSmall = this.#smallSize >= this.#smallTarget;
      const place = this.#newer[fromSmall ? SMALL : MAIN] as number;
      const hits = (this.#marks[place] as number) & HITS;
      if (hits >= (fromSmall ? HITS_TO_STAY : 1)) {
        this.#unlink(place);
        this.#marks[place] = fromSmall ? 0 : hits - 1;
        this.#link(place, MAIN);
        continue;
      }
      const key = this.#keys[place] as Key;
      if (fromSmall) this.#remember(key);
      this.#remove(key, place, 'size');
      return true;
    }
    return false;
  }

  clear(): void {
    this.#places.clear();
    this.#empty();
  }

  *refs(): IterableIterator<KeyRef> {
    for (const end of [SMALL, MAIN]) {
      let place = this.#newer[end] as number;
      for (; place >= FIRST_PLACE; place = this.#newer[place] as number) {
        yield refOf(this.#keys[place] as Key);
      }
    }
  }

  *present(): IterableIterator<KeyRef> {
    for (const key of this.#places.keys()) yield refOf(key);
  }

  /** The size from which the small queue gives up the next entry. Below it, the main queue does. */
  get #smallTarget(): number {
    const whole = Math.min(this.#max, this.size);
    return this.size === this.#smallSize ? 0 : Math.max(1, Math.floor(whole * SMALL_PART));
  }

  #hit(place: number): void {
    const mark = this.#marks[place] as number;
    if ((mark & HITS) < HITS) this.#marks[place] = mark + 1;
  }

  #isInMain(place: number): boolean {
    return ((this.#marks[place] as number) & IN_MAIN) !== 0;
  }

  #remember(key: Key): void {
    const length = Math.max(1, this.size - Math.floor(this.size * SMALL_PART));
    // With `maxWeight` the number of entries changes all the time. The ghost queue grows only when that number has doubled.
    if (this.#ghost === undefined || this.#ghost.length * 2 < length) {
      this.#ghost = new GhostQueue(length, this.#ghost);
    }
    this.#ghost.add(fingerprint(key));
  }

  #remove(key: Key, place: number, cause: RemovalCause): void {
    const stored = this.#stored[place];
    this.#unlink(place);
    this.#places.delete(key);
    this.#keys[place] = 0;
    this.#stored[place] = undefined;
    this.#older[place] = this.#firstFree;
    this.#firstFree = place;
    this.#onRemoved(refOf(key), stored, cause);
    release(key);
  }

  /** Makes an entry the newest of a queue. */
  #link(place: number, end: number): void {
    const newest = this.#older[end] as number;
    this.#older[place] = newest;
    this.#newer[place] = end;
    this.#newer[newest] = place;
    this.#older[end] = place;
    if (end === MAIN) this.#marks[place] = (this.#marks[place] as number) | IN_MAIN;
    else this.#smallSize++;
  }

  #unlink(place: number): void {
    const older = this.#older[place] as number;
    const newer = this.#newer[place] as number;
    this.#newer[older] = newer;
    this.#older[newer] = older;
    if (!this.#isInMain(place)) this.#smallSize--;
  }

  #takePlace(): number {
    const free = this.#firstFree;
    if (free !== 0) {
      this.#firstFree = this.#older[free] as number;
      return free;
    }
    const place = this.#keys.length;
    if (place === this.#marks.length) this.#grow(place * 2);
    this.#keys.push(0);
    this.#stored.push(undefined);
    return place;
  }

  #grow(capacity: number): void {
    const marks = new Uint8Array(capacity);
    const older = new Uint32Array(capacity);
    const newer = new Uint32Array(capacity);
    marks.set(this.#marks);
    older.set(this.#older);
    newer.set(this.#newer);
    this.#marks = marks;
    this.#older = older;
    this.#newer = newer;
  }

  #empty(): void {
    this.#keys = [0, 0];
    this.#stored = [undefined, undefined];
    this.#marks = new Uint8Array(FIRST_CAPACITY);
    this.#older = new Uint32Array(FIRST_CAPACITY);
    this.#newer = new Uint32Array(FIRST_CAPACITY);
    for (const end of [SMALL, MAIN]) {
      this.#older[end] = end;
      this.#newer[end] = end;
    }
    this.#smallSize = 0;
    this.#firstFree = 0;
    this.#ghost = undefined;
  }
}
