/**
 * A map that grows in steps. A `Map` of a million keys moves all of them when it grows, and again when its deleted keys have filled it.
 * That stops the process for a tenth of a second. Here the keys are split over small maps by their hash, and one of these is split at a
 * time: a step moves about a thousand keys.
 *
 * ```
 *   parts  0 1 2 3 | 4 5        4 and 5 are split off from 0 and 1; 2 and 3 come next
 * ```
 *
 * Source: Witold Litwin, *Linear Hashing: A New Tool for File and Table Addressing*, 1980.
 */

/** How many keys a part has on average before the next part is split. */
const KEYS_IN_PART = 1_024;

export class SplitMap<K, V> {
  readonly #hashOf: (key: K) => number;
  #parts: Map<K, V>[] = [new Map()];
  #size = 0;
  /** The number of parts at the start of the round of splits: a power of two. */
  #base = 1;

  /** `hashOf` gives a whole number below 2^31 whose low bits differ from key to key. */
  constructor(hashOf: (key: K) => number) {
    this.#hashOf = hashOf;
  }

  /** How many keys there are. */
  get size(): number {
    return this.#size;
  }

  /** Gives the value of a key; `undefined` if there is none. O(1). */
  get(key: K): V | undefined {
    return this.#partOf(key).get(key);
  }

  /** Sets the value of a key. O(1), and a step of growth. */
  set(key: K, value: V): void {
    const part = this.#partOf(key);
    const before = part.size;
    part.set(key, value);
    this.#size += part.size - before;
    if (this.#size > KEYS_IN_PART * this.#parts.length) this.#splitNext();
  }

  /** Removes a key and gives its value; `undefined` if there is none. O(1). */
  take(key: K): V | undefined {
    const part = this.#partOf(key);
    const value = part.get(key);
    if (part.delete(key)) this.#size--;
    return value;
  }

  /** Gives the values, in any order. The map must not change meanwhile. */
  *values(): IterableIterator<V> {
    for (const part of this.#parts) yield* part.values();
  }

  #partOf(key: K): Map<K, V> {
    return this.#parts[this.#parts.length === 1 ? 0 : this.#placeOf(key)] as Map<K, V>;
  }

  #placeOf(key: K): number {
    const hash = this.#hashOf(key);
    const place = hash & (2 * this.#base - 1);
    return place < this.#parts.length ? place : place - this.#base;
  }

  #splitNext(): void {
    const old = this.#parts[this.#parts.length - this.#base] as Map<K, V>;
    const added = new Map<K, V>();
    this.#parts.push(added);
    for (const [key, value] of old) {
      if (this.#partOf(key) === old) continue;
      old.delete(key);
      added.set(key, value);
    }
    if (this.#parts.length === 2 * this.#base) this.#base *= 2;
  }
}
