/**
 * The bounded store that keeps what is asked for again: S3-FIFO, "FIFO queues are all you need for cache eviction"
 * (Juncheng Yang, Yazhuo Zhang, Ziyue Qiu, Yao Yue, K. V. Rashmi; SOSP 2023).
 *
 * Most keys of most workloads are asked for once. An LRU list lets each of them travel its whole length before it goes,
 * past entries that would have been hit. Here every newcomer waits in a small queue, a tenth of the whole. Who is hit
 * twice there moves on to the main queue, who is not is soon gone, and only its fingerprint is remembered: if it comes
 * back before as many others have gone as the main queue is long, it enters the main queue at once. That queue is a
 * FIFO with second chances: an entry at its end that was hit goes round once more for each hit, three times at most.
 *
 * ```
 *              new ──▶ ┌ small: 1/10 ┐ ──hit twice──▶ ┌ main: 9/10 ───────┐ ──▶ out
 *                      └─────────────┘                └───────────────────┘
 *                             │ not                      ▲           │ hit
 *                             ▼                          │           ▼
 *                       ghost: fingerprints ──comes back─┘◀── once more, one hit less
 * ```
 *
 * A hit moves nothing: it adds one to a count of two bits. All steps are O(1); an eviction may send several entries
 * round, but each time it uses up a hit, so it is O(1) for each call. A scan cannot displace the main queue.
 *
 * Entries lie in parallel arrays, linked by their indices, which costs a quarter of what an object for each would.
 * Indices 0 and 1 are the ends of the two queues. The arrays double as they fill, and there is no ghost before the first
 * eviction, so that a cache that never fills pays for what it holds.
 *
 * Two departures. The paper never expires anything: an entry that expires in the main queue leaves its fingerprint too,
 * or each `ttl` would put what is asked for most on probation again. And under a `maxWeight` the queues are still
 * measured in entries, as a weight says nothing about how often something is asked for.
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
/** So many hits in the small queue make an entry worth keeping. */
const HITS_TO_STAY = 2;
/** In a mark: how often an entry was hit, as far as that is counted, and whether it is in the main queue. */
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
  /** Towards the oldest; from the end of a queue, its newest. */
  #older = new Uint32Array(FIRST_CAPACITY);
  /** Towards the newest; from the end of a queue, its oldest. */
  #newer = new Uint32Array(FIRST_CAPACITY);
  #smallSize = 0;
  /** The first of the places that were given up, linked by `#older`; 0 for none. */
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

  /** An entry that is replaced keeps its place, and its being replaced is a use. */
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
    if (cause === 'expired' && this.#isInMain(place)) this.#remember(key);
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

  /** What has expired is evicted in its turn: a bounded store needs no sweep. */
  sweep(): void {}

  *refs(): IterableIterator<KeyRef> {
    for (const end of [SMALL, MAIN]) {
      let place = this.#newer[end] as number;
      for (; place >= FIRST_PLACE; place = this.#newer[place] as number) {
        yield refOf(this.#keys[place] as Key);
      }
    }
  }

  /** How many entries the small queue may hold before it, and not the main queue, has to give one up. */
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
    // A bound on the weight lets the number of entries wander: the ghost follows in leaps.
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
    const vacant = this.#firstFree;
    if (vacant !== 0) {
      this.#firstFree = this.#older[vacant] as number;
      return vacant;
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
