/** What a cache contains: its keys, its entries and its loads in flight, and how they are forgotten. */
import type { CacheRecorder } from './cache-recorder.js';
import { Entries } from './entries.js';
import { argsOf, hasReceiver, type Key, KeyTrie, keyOf, refOf } from './keys/key-trie.js';
import { Flights } from './loading/flights.js';
import type { MemoizeSettings } from './memoize-options.js';
import type { LocalLevel } from './shared-port.js';
import { FastState } from './stores/fast-state.js';
import type { Store } from './stores/store.js';
import { resultIn } from './stores/stored.js';

/** The contents of one cache. */
export class CacheContents implements LocalLevel {
  /** The known argument lists. {@link forgetAllHere} replaces the trie. */
  trie: KeyTrie = new KeyTrie();
  readonly fast: FastState;
  readonly entries: Entries;
  readonly store: Store;
  readonly flights: Flights = new Flights();

  constructor(settings: MemoizeSettings, recorder: CacheRecorder) {
    this.fast = new FastState(this.trie.plain, settings.clock);
    this.entries = new Entries(settings, recorder, this.fast);
    this.store = this.entries.store;
  }

  /** Forgets the entry of a key, and disowns its loads; false if there is neither. */
  forget(key: Key): boolean {
    return this.entries.deferred(() => {
      const isRemoved = this.#remove(key);
      return this.flights.disown(key) || isRemoved;
    });
  }

  forgetHere(keyArgs: readonly unknown[]): boolean {
    const keys = this.trie.findAll(keyArgs);
    return keys.length === 1 ? this.forget(keys[0] as Key) : this.#forgetEach(keys) > 0;
  }

  forgetTagsHere(tags: readonly string[]): number {
    this.flights.invalidateTags(tags);
    return this.#forgetEach(this.entries.tagged(tags));
  }

  /** Forgets some keys, and gives how many had an entry or a load. The entries leave first: an abort listener may call the cache. */
  #forgetEach(keys: readonly Key[]): number {
    return this.entries.deferred(() => {
      const removed = this.entries.together(() => keys.map((key) => this.#remove(key)));
      return keys.filter((key, i) => this.flights.disown(key) || removed[i]).length;
    });
  }

  /** Removes an entry; false if no call would have been given it. */
  #remove(key: Key): boolean {
    this.entries.servable(key); // Removes a dead entry, which does not count as forgotten.
    return this.entries.remove(key, 'explicit');
  }

  markAllStale(): void {
    for (const ref of [...this.store.refs()]) {
      const key = keyOf(ref);
      if (key !== undefined) this.entries.markStale(this.store.peek(key), 0);
    }
  }

  forgetAllHere(): void {
    this.trie = new KeyTrie();
    this.fast.setTop(this.trie.plain);
    this.entries.clear();
    this.flights.disownAll(); // Last, because the abort listener of a load may call the cache.
    this.entries.tellOfRemovals();
  }

  *keysHere(): IterableIterator<readonly unknown[]> {
    for (const ref of [...this.store.refs(), ...[...this.flights.keys()].map(refOf)]) {
      const args = hasReceiver(ref) ? undefined : argsOf(ref);
      if (args !== undefined) yield args;
    }
  }

  tagsHere(): Iterable<string> {
    return this.entries.tags();
  }

  /**
   * The argument lists and results that calls would be answered with, least recently used first. Leaves out those of methods, and
   * of collected objects.
   */
  *live(): IterableIterator<[args: unknown[], result: unknown]> {
    for (const ref of [...this.store.refs()]) {
      const key = keyOf(ref);
      const args = argsOf(ref);
      if (key === undefined || args === undefined || hasReceiver(ref)) continue;
      const stored = this.entries.servable(key);
      if (stored !== undefined) yield [args, resultIn(stored)];
    }
  }
}
