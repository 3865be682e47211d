/** What the fast paths read and write, on one object. */
import { LRUCache } from 'lru-cache';
import type { KeyLevel } from '../keys/key-level.js';
import type { Key } from '../keys/key-trie.js';
import type { Stored } from './stored.js';

/** What is asked of lru-cache's list. Its own type would reach users, and it needs Node's. */
interface List {
  get(key: Key): Stored;
}

const NO_LIST: List = /* @__PURE__ */ new LRUCache({ max: 1 });
const NO_PRIMITIVES: ReadonlyMap<unknown, Stored> = new Map();
const NO_OBJECTS: WeakMap<WeakKey, Stored> = new WeakMap();

/** The part of a cache that every hit touches. */
export class FastState {
  /** Calls answered by a stored result. */
  hits = 0;
  /** Where a bounded cache finds results by one primitive, as long as its stored are `lasting`; else there is nothing. */
  lru: List = NO_LIST;
  /** The same for an unbounded cache. */
  primitives: ReadonlyMap<unknown, Stored> = NO_PRIMITIVES;
  /** The same by one object. */
  objects: WeakMap<WeakKey, Stored> = NO_OBJECTS;
  /**
   * Whether every stored is the result itself: there is no {@link Entry} in the store and no stand-in for `undefined`.
   * A fast path that had to ask of each stored what it is would spend a tenth of its time on that.
   */
  storesBareResults: boolean;
  /** The top of the argument lists without a receiver. */
  top: KeyLevel;

  constructor(lasting: boolean, top: KeyLevel) {
    this.storesBareResults = lasting;
    this.top = top;
  }

  /** From now on there may be stored of other kinds. */
  endBareResults(): void {
    this.storesBareResults = false;
    this.lru = NO_LIST;
    this.primitives = NO_PRIMITIVES;
    this.objects = NO_OBJECTS;
  }

  /** A bounded store has another list, or none any more. */
  listChanged(lru: List | undefined): void {
    this.lru = this.storesBareResults && lru !== undefined ? lru : NO_LIST;
  }

  /** An unbounded store has other maps. */
  mapsChanged(primitives: ReadonlyMap<unknown, Stored>, objects: WeakMap<WeakKey, Stored>): void {
    this.primitives = primitives;
    this.objects = objects;
  }

  /** Where these arguments lead, if they are one or two. */
  levelOf(count: number, first: unknown, second: unknown): KeyLevel | undefined {
    if (count === 1) return this.top.child(first);
    return count === 2 ? this.pairLevel(first, second) : undefined;
  }

  /** Where two arguments lead. */
  pairLevel(first: unknown, second: unknown): KeyLevel | undefined {
    return this.top.child(first)?.child(second);
  }
}
