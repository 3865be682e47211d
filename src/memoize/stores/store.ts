/**
 * Where settled results are kept. Loads in flight are not here, so no eviction can lose one. A store retains the keys
 * under which it keeps something, and says of each entry that goes why it went.
 */

import type { Key, KeyRef } from '../keys/key-trie.js';
import type { Stored } from './stored.js';

/** Why an entry went: Caffeine's names. */
export type RemovalCause = 'explicit' | 'replaced' | 'expired' | 'size' | 'collected';

/**
 * Told of each entry that goes by itself or by `delete` and `set`; not of those that go with {@link Store.clear}. The
 * stored is `undefined` if it went with its key.
 */
export type OnRemoved = (ref: KeyRef, stored: Stored, cause: RemovalCause) => void;

/** Slots by key. */
export interface Store {
  /** How many entries are kept; one whose key object was collected counts until the engine says so. */
  readonly size: number;
  /** The stored, good or not; `undefined` for none. Counts as a use of it. */
  get(key: Key): Stored;
  /** The stored, good or not; `undefined` for none. Counts as nothing. */
  peek(key: Key): Stored;
  /** Keeps `stored`, in place of what was there; false if it is not kept because nobody could ask for it. */
  set(key: Key, stored: Stored): boolean;
  /** The same for a key under which there is nothing. */
  add(key: Key, stored: Stored): boolean;
  /** Removes the entry; false when there is none. */
  delete(key: Key, cause: RemovalCause): boolean;
  /** Removes everything, silently. */
  clear(): void;
  /** Looks at the next few entries and removes those that are dead at `now`. */
  sweep(now: number): void;
  /** What stands for each entry, least valued first. */
  refs(): Iterable<KeyRef>;
}

/** A store that gives up what it values least to make room. */
export interface BoundedStore extends Store {
  /** Removes the entry that the policy values least, for the cause 'size'; false when there is none. */
  evict(): boolean;
}
