/** The fields that the fast paths of a cache read and write, on one object. */
import { LRUCache } from 'lru-cache';
import { KeyLevel } from '../keys/key-level.js';
import type { Key } from '../keys/key-trie.js';
import type { Stored } from './stored.js';

/** The part of lru-cache that a fast path uses. Its own type would reach users, and it needs Node's types. */
export interface LruList {
  get(key: Key): Stored;
}

/** The part of a `Map` or `WeakMap` that a fast path uses. */
export interface Lookup<K> {
  get(key: K): Stored;
}

const NO_LIST: LruList = /* @__PURE__ */ new LRUCache({ max: 1 });
const NO_PRIMITIVES: Lookup<unknown> = /* @__PURE__ */ new Map();
const NO_OBJECTS: Lookup<object> = /* @__PURE__ */ new WeakMap();
const NO_LEVEL: KeyLevel = /* @__PURE__ */ new KeyLevel(undefined, undefined);

/** The fields of a cache that every hit uses. */
export class FastState {
  /** Calls answered by a stored result. */
  hits = 0;
  /** The results of a bounded cache by one primitive; empty while the fast paths are closed. */
  lru: LruList = NO_LIST;
  /** The results of an unbounded cache by one primitive; empty while the fast paths are closed. */
  primitives: Lookup<unknown> = NO_PRIMITIVES;
  /** The results of an unbounded cache by one object; empty while the fast paths are closed. */
  objects: Lookup<object> = NO_OBJECTS;
  /** The argument lists without a receiver, for two arguments; empty while the fast paths are closed. */
  top: KeyLevel = NO_LEVEL;
  /**
   * Whether fast paths may answer: no listener is told of hits, and all stored values are of the kind that the fast path of
   * this cache expects. A check of each stored value's kind would take a tenth of a hit's time.
   */
  isOpen = true;
  #isObserved = false;
  #isMixed = false;
  #lru: LruList = NO_LIST;
  #primitives: Lookup<unknown> = NO_PRIMITIVES;
  #objects: Lookup<object> = NO_OBJECTS;
  #top: KeyLevel;

  constructor(top: KeyLevel) {
    this.#top = top;
    this.#update();
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

  /** Sets the list of a bounded store; `undefined` if it has none. */
  setList(lru: LruList | undefined): void {
    this.#lru = lru ?? NO_LIST;
    this.#update();
  }

  /** Sets the maps of an unbounded store. */
  setMaps(primitives: Lookup<unknown>, objects: Lookup<object>): void {
    this.#primitives = primitives;
    this.#objects = objects;
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
    this.lru = isOpen ? this.#lru : NO_LIST;
    this.primitives = isOpen ? this.#primitives : NO_PRIMITIVES;
    this.objects = isOpen ? this.#objects : NO_OBJECTS;
    this.top = isOpen ? this.#top : NO_LEVEL;
  }
}
