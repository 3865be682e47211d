/**
 * The port to a store of settled results. Loads in flight are not in it, so an eviction cannot lose one. A store retains the
 * keys of its entries. It reports each entry that leaves, with the cause.
 */

import type { Key, KeyRef } from '../keys/key-trie.js';
import type { Stored } from './stored.js';

/** Why an entry left, in Caffeine's words. */
export type RemovalCause = 'explicit' | 'replaced' | 'expired' | 'size' | 'collected';

/**
 * Called for each entry that leaves by an eviction, an expiry, a collection, `delete` or `set`; not for {@link Store.clear}.
 * `stored` is `undefined` if the entry was collected with its key.
 */
export type OnRemoved = (ref: KeyRef, stored: Stored, cause: RemovalCause) => void;

/** Stored values by key. */
export interface Store {
  /**
   * Which fast path finds the entries: `'maps'` and `'list'` look into the maps and the list of {@link FastState}, and `'get'` calls
   * {@link get}.
   */
  readonly fastPath: 'maps' | 'list' | 'get';
  /** How many entries there are; an entry whose key was collected counts until the engine reports it. */
  readonly size: number;
  /** The stored value, expired or not; `undefined` for none. Counts as a use. */
  get(key: Key): Stored;
  /** The stored value, expired or not; `undefined` for none. Counts as no use. */
  peek(key: Key): Stored;
  /** Keeps `stored` in place of the present value; false if an object in the key was collected. */
  set(key: Key, stored: Stored): boolean;
  /** Keeps `stored` under a key that has no entry; false if an object in the key was collected. */
  add(key: Key, stored: Stored): boolean;
  /** Removes the entry; false if there is none. */
  delete(key: Key, cause: RemovalCause): boolean;
  /** Removes everything, without a call of `onRemoved`. */
  clear(): void;
  /** The key references of all entries, next to be evicted first. */
  refs(): Iterable<KeyRef>;
  /**
   * The key references of all entries, in any order. Callers may use the store during the iteration: it gives each entry that stays, and
   * no entry that has left.
   */
  present(): IterableIterator<KeyRef>;
}

/**
 * A store that evicts entries to make room.
 *
 * - {@link add} retains a key that is an object. Each removal calls `onRemoved`, and then releases the key; {@link clear} does neither.
 * - {@link set} counts as a use, and reports the value that it replaces with the cause `'replaced'`.
 */
export interface BoundedStore extends Store {
  /** Removes the entry that is next by the policy, for the cause 'size'; false if there is none. */
  evict(): boolean;
}
