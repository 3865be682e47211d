/**
 * A map with a strong head and a weak tail: what `java.lang.ref.SoftReference` is used for. Java's collector clears soft references
 * when memory runs short. V8 offers no such moment, so the bound is a count here.
 *
 * ```
 *   most recently used ──▶ v9 v8 v7   held strongly, at most `maxStrong`
 *                          v6 v5 …    held weakly: V8 may collect them, and until then they are found
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  collectionArguments,
  pairsOf,
  resolveSoftValueMapOptions,
  type SoftValueMapOptions,
} from './weak-collection-options.js';
import { WeakValueMap } from './weak-value-map.js';

/**
 * A {@link WeakValueMap} that holds its most recently used values strongly. A value that is read or set becomes the most recently
 * used one. Beyond `maxStrong` the least recently used value is held weakly, and V8 may collect it. Until then it is found, and
 * held strongly again.
 *
 * Use it for values that are expensive to make and cheap to lose. `get`, `set` and `delete` are O(1). `has`, `size` and loops do
 * not count as a use.
 *
 * @example
 * ```ts
 * import { SoftValueMap } from 'tenure/weak';
 *
 * const pages = new SoftValueMap<string, { html: string }>({ maxStrong: 2 });
 * for (const path of ['/a', '/b', '/c']) pages.set(path, { html: `page ${path}` });
 * pages.get('/c')?.html; // => 'page /c'
 * pages.strong; // => 2
 * ```
 */
export class SoftValueMap<K, V extends WeakKey> extends WeakValueMap<K, V> {
  readonly #maxStrong: number;
  /** The values that are held strongly, the least recently used first. */
  readonly #strong = new Map<K, V>();

  /** @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed. */
  constructor(options?: SoftValueMapOptions<K>);
  /**
   * Makes a map of `entries`, such as another map. The last ones are held strongly. O(entries).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed, or if a value cannot
   * be referred to weakly.
   */
  constructor(
    entries: Iterable<readonly [K, V]> | null | undefined,
    options?: SoftValueMapOptions<K>,
  );
  constructor(
    first?: Iterable<readonly [K, V]> | SoftValueMapOptions<K> | null,
    second?: SoftValueMapOptions<K>,
  ) {
    const { entries, options } = collectionArguments(first, second);
    const { maxStrong, name, onCollect } = resolveSoftValueMapOptions(options);
    super({ name, ...(onCollect !== undefined && { onCollect }) });
    this.#maxStrong = maxStrong;
    for (const [key, value] of pairsOf('SoftValueMap', entries)) this.set(key, value);
  }

  /** How many values are held strongly. O(1). */
  get strong(): number {
    return this.#strong.size;
  }

  /** Gives the value under `key` and makes it the most recently used one; `undefined` if there is none that lives. O(1). */
  override get(key: K): V | undefined {
    const value = super.get(key);
    if (value !== undefined) this.#use(key, value);
    return value;
  }

  /**
   * Sets the value under `key`, replaces a former one, and makes it the most recently used one. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `value` cannot be referred to weakly. The map then
   * stays as it is.
   */
  override set(key: K, value: V): this {
    super.set(key, value);
    this.#use(key, value);
    return this;
  }

  /** Removes the value under `key`. True if there was one that lived. O(1). */
  override delete(key: K): boolean {
    this.#strong.delete(key);
    return super.delete(key);
  }

  /** Removes all values. O(n). */
  override clear(): void {
    this.#strong.clear();
    super.clear();
  }

  #use(key: K, value: V): void {
    this.#strong.delete(key);
    if (this.#maxStrong === 0) return;
    this.#strong.set(key, value);
    if (this.#strong.size <= this.#maxStrong) return;
    for (const oldest of this.#strong.keys()) {
      this.#strong.delete(oldest);
      return;
    }
  }

  static {
    Object.defineProperty(SoftValueMap.prototype, Symbol.toStringTag, {
      value: 'SoftValueMap',
      configurable: true,
    });
  }
}
