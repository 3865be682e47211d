/**
 * Where settled results are kept. Loads in flight are not here, so no eviction can lose one. A store retains the keys
 * under which it keeps something, and says of each entry that goes why it went.
 */
import type { Entry, Tracked } from './entry.js';
import type { Key } from './key-trie.js';

/** Why an entry went: Caffeine's names. */
export type RemovalCause = 'explicit' | 'replaced' | 'expired' | 'size' | 'collected';

/** Told of each entry that goes by itself or by `delete` and `set`; not of those that go with {@link Store.clear}. */
export type OnRemoved = (tracked: Tracked, cause: RemovalCause) => void;

/** Entries by key. */
export interface Store {
  /** How many entries are kept; one whose key object was collected counts until the engine says so. */
  readonly size: number;
  /** The entry, fresh or not; counts as a use of it. */
  get(key: Key): Entry | undefined;
  /** The entry, fresh or not; counts as nothing. */
  peek(key: Key): Entry | undefined;
  /**
   * Keeps `entry`, in place of what was there; returns what stands for it in an observer's heap, or `undefined` if it is
   * not kept because nobody could ask for it.
   */
  set(key: Key, entry: Entry): Tracked | undefined;
  /** Removes the entry; false when there is none. */
  delete(key: Key, cause: RemovalCause): boolean;
  /** Removes everything, silently. */
  clear(): void;
  /** Looks at the next few entries and removes those that are no longer fresh at `now`. */
  sweep(now: number): void;
  /** What stands for each entry. */
  tracked(): Iterable<Tracked>;
}
