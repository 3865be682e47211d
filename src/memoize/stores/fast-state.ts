/** The fields that the fast paths of a cache read and write, on one object. */
import { type Clock, systemClock } from '../../core/clock.js';
import { CoarseClock, type Horizon, LAST_TICK } from '../../core/coarse-clock.js';
import { KeyLevel } from '../keys/key-level.js';
import type { Stored } from './stored.js';

/** The part of a `Map`, a `WeakMap`, lru-cache or another store that a fast path uses. */
export interface ReadableMap<K> {
  get(key: K): Stored;
}

const NOTHING: ReadableMap<unknown> = /* @__PURE__ */ new Map();
const NO_OBJECTS: ReadableMap<object> = /* @__PURE__ */ new WeakMap();
const NO_LEVEL: KeyLevel = /* @__PURE__ */ new KeyLevel(undefined, undefined);

/** How many hits of a cache use one reading of the clock at most, less one. A mask: one less than a power of two. */
export const HITS_PER_CLOCK_READING = 63;

/** The fields of a cache that every hit uses. */
export class FastState implements Horizon {
  /** Calls answered by a stored result. */
  hits = 0;
  /** The results by one primitive, or by the level of an argument list in a bounded cache; empty while closed. */
  byKey: ReadableMap<unknown> = NOTHING;
  /** The results of an unbounded cache by one object; empty while the fast paths are closed. */
  byObject: ReadableMap<object> = NO_OBJECTS;
  /** The argument lists without a receiver; empty while the fast paths are closed. */
  top: KeyLevel = NO_LEVEL;
  /** No tick after this one has begun yet; `LAST_TICK` while that is not known. */
  horizon: number = LAST_TICK;
  readonly #coarse: CoarseClock | undefined;
  /**
   * Whether fast paths may answer: no listener is told of hits, and all stored values are of the kind that the fast path of
   * this cache expects. A check of each stored value's kind would take a tenth of a hit's time.
   */
  isOpen = true;
  #isObserved = false;
  #isMixed = false;
  #byKey: ReadableMap<unknown> = NOTHING;
  #empty: ReadableMap<unknown> = NOTHING;
  #byObject: ReadableMap<object> = NO_OBJECTS;
  #top: KeyLevel;

  constructor(top: KeyLevel, clock: Pick<Clock, 'now'>) {
    // A clock of the user's own is always read.
    this.#coarse = clock === systemClock ? new CoarseClock(systemClock, this) : undefined;
    this.#top = top;
    this.#update();
  }

  /** Takes a reading of the clock. */
  learn(now: number): void {
    this.#coarse?.learn(now);
  }

  /** Closes the fast paths while a listener is told of each hit. */
  setObserved(isObserved: boolean): void {
    this.#isObserved = isObserved;
    this.#update();
  }

  /** Closes the fast paths while the store may contain values of another kind. Only a clear of the store opens them again. */
  setMixed(isMixed: boolean): void {
    if (this.#isMixed === isMixed) return;
    this.#isMixed = isMixed;
    this.#update();
  }

  /**
   * Sets where the store has its results. `empty` takes the place of `byKey` while the fast paths are closed. It must be of the
   * same class, because V8 optimises a look-up for one class.
   */
  setResults(
    byKey: ReadableMap<unknown>,
    empty: ReadableMap<unknown> = NOTHING,
    byObject: ReadableMap<object> = NO_OBJECTS,
  ): void {
    this.#byKey = byKey;
    this.#empty = empty;
    this.#byObject = byObject;
    this.#update();
  }

  /** Sets the argument lists of the cache. */
  setTop(top: KeyLevel): void {
    this.#top = top;
    this.#update();
  }

  /** The level of one or two arguments, if it is known; `undefined` for any other number. */
  levelOf(count: number, first: unknown, second: unknown): KeyLevel | undefined {
    if (count === 1) return this.top.child(first);
    return count === 2 ? this.pairLevel(first, second) : undefined;
  }

  /** The level of two arguments, if it is known. */
  pairLevel(first: unknown, second: unknown): KeyLevel | undefined {
    return this.top.child(first)?.child(second);
  }

  #update(): void {
    const isOpen = !this.#isObserved && !this.#isMixed;
    this.isOpen = isOpen;
    this.byKey = isOpen ? this.#byKey : this.#empty;
    this.byObject = isOpen ? this.#byObject : NO_OBJECTS;
    this.top = isOpen ? this.#top : NO_LEVEL;
  }
}
