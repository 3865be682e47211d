/** Counts by key, for a bounded number of keys. What comes under further keys is counted together. */

/** How many things have come under one key. */
export interface CountedKey<V> {
  readonly key: string;
  readonly value: V;
  count: number;
}

/** The counts of one list. */
export class BoundedCounts<V> {
  readonly #maxKeys: number;
  readonly #byKey = new Map<string, CountedKey<V>>();
  /** How many things are in no entry, because there are too many keys. */
  unlisted = 0;

  /** Keeps at most `maxKeys` entries. */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** Counts a thing under a key. Gives its entry for {@link remove}; `undefined` if there are too many keys. O(1). */
  add(key: string, value: V): CountedKey<V> | undefined {
    let entry = this.#byKey.get(key);
    if (entry === undefined) {
      if (this.#byKey.size >= this.#maxKeys) {
        this.unlisted++;
        return undefined;
      }
      entry = { key, value, count: 0 };
      this.#byKey.set(key, entry);
    }
    entry.count++;
    return entry;
  }

  /** Whether something is counted here under one of the keys of another list. O(keys). */
  shares(other: BoundedCounts<V>): boolean {
    return [...other.#byKey.keys()].some((key) => this.#byKey.has(key));
  }

  /** Whether something is counted under a key. O(1). */
  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** Takes back one {@link add}, which has given `entry`. O(1). */
  remove(entry: CountedKey<V> | undefined): void {
    if (entry === undefined) this.unlisted--;
    else if (--entry.count === 0) this.#byKey.delete(entry.key);
  }

  /** Gives the entries, the most numerous first. O(n log n). */
  list(): CountedKey<V>[] {
    return [...this.#byKey.values()].sort((a, b) => b.count - a.count);
  }
}
