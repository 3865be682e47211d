/** A WeakMap that can be iterated and counted, after `weakref.WeakKeyDictionary` of Python. */
/// <reference lib="esnext.disposable" preserve="true" />
import { printAs } from '../core/inspect.js';
import { aFunction, checkArgument } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { aWeakKey } from '../core/weak-key.js';
import { type Ref, ref } from './ref.js';
import {
  collectionArguments,
  pairsOf,
  resolveCollectionOptions,
  type WeakCollectionOptions,
} from './weak-collection-options.js';
import { type WeakCollectionStats, WeakKeyTable } from './weak-key-table.js';

/**
 * A Map that holds its keys weakly. When V8 has collected a key, its entry is removed, with the value. A value may reach its key:
 * it does not keep the key alive, as in a WeakMap. A loop goes in the order of insertion and sees entries that are added
 * meanwhile, as in a Map.
 *
 * It has all members of a Map and can be passed as one. `get`, `has`, `set` and `delete` are O(1). `size` checks every key and is
 * O(n).
 *
 * A key that a loop has given stays alive until the current turn of the event loop ends.
 *
 * @example
 * ```ts
 * import { IterableWeakMap } from 'tenure/weak';
 *
 * const socket = { host: 'a.example' };
 * const opened = new IterableWeakMap<{ host: string }, { by: string }>([[socket, { by: 'ada' }]]);
 * opened.get(socket)?.by; // => 'ada'
 * opened.size; // => 1
 * [...opened.keys()].map(({ host }) => host); // => ['a.example']
 * ```
 */
export class IterableWeakMap<K extends WeakKey, V> implements Watchable, Iterable<[K, V]> {
  readonly #table: WeakKeyTable<K, V>;

  /** `'IterableWeakMap'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed. */
  constructor(options?: WeakCollectionOptions);
  /**
   * Makes a map of `entries`, such as another map. O(entries).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed, or if a key cannot be
   * referred to weakly.
   */
  constructor(
    entries: Iterable<readonly [K, V]> | null | undefined,
    options?: WeakCollectionOptions,
  );
  constructor(
    first?: Iterable<readonly [K, V]> | WeakCollectionOptions | null,
    second?: WeakCollectionOptions,
  ) {
    const { entries, options } = collectionArguments(first, second);
    const { name } = resolveCollectionOptions('IterableWeakMap', options, 'weak-map');
    this.#table = new WeakKeyTable('weak-map', name);
    for (const [key, value] of pairsOf('IterableWeakMap', entries)) this.set(key, value);
  }

  /** How many keys live. O(n). */
  get size(): number {
    return this.#table.size;
  }

  /** Gives the value of `key`; `undefined` if there is none. O(1). */
  get(key: K): V | undefined {
    return this.#table.get(key)?.value;
  }

  /** Whether there is a value for `key`. O(1). */
  has(key: K): boolean {
    return this.#table.get(key) !== undefined;
  }

  /**
   * Sets the value of `key`. A key that is there keeps its place in the order. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `key` cannot be referred to weakly.
   */
  set(key: K, value: V): this {
    const slot = this.#table.get(key);
    if (slot !== undefined) {
      slot.value = value;
      return this;
    }
    checkArgument('IterableWeakMap.set', 'key', key, aWeakKey);
    this.#table.add(key, value);
    return this;
  }

  /**
   * Gives the value of `key`. If there is none, it sets `value` and gives that. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `key` cannot be referred to weakly.
   */
  getOrInsert(key: K, value: V): V {
    const slot = this.#table.get(key);
    if (slot !== undefined) return slot.value;
    this.set(key, value);
    return value;
  }

  /**
   * Gives the value of `key`. If there is none, it sets the result of `make(key)` and gives that. O(1) besides `make`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `key` cannot be referred to weakly, or if `make` is no
   * function; what `make` throws. The map then stays as it is.
   */
  getOrInsertComputed(key: K, make: (key: K) => V): V {
    checkArgument('IterableWeakMap.getOrInsertComputed', 'make', make, aFunction);
    const slot = this.#table.get(key);
    if (slot !== undefined) return slot.value;
    checkArgument('IterableWeakMap.getOrInsertComputed', 'key', key, aWeakKey);
    const made = make(key);
    this.set(key, made);
    return made;
  }

  /** Removes the entry of `key`. True if there was one. O(1). */
  delete(key: K): boolean {
    return this.#table.delete(key) !== undefined;
  }

  /** Removes the entry of `key` and gives its value; `undefined` if there was none. O(1). */
  take(key: K): V | undefined {
    return this.#table.delete(key)?.value;
  }

  /** Removes all entries. O(n). */
  clear(): void {
    this.#table.clear();
  }

  /** Gives the entries whose keys live, in order of insertion. */
  *entries(): Generator<[K, V], undefined, unknown> {
    for (const key of this.#table.keys()) {
      const slot = this.#table.get(key);
      if (slot !== undefined) yield [key, slot.value];
    }
    return undefined;
  }

  /** Gives the keys that live, in order of insertion. */
  keys(): Generator<K, undefined, unknown> {
    return this.#table.keys();
  }

  /** Gives the values of the keys that live, in order of insertion. */
  *values(): Generator<V, undefined, unknown> {
    for (const [, value] of this.entries()) yield value;
    return undefined;
  }

  /** Gives weak references to the keys that live, with their values, in order of insertion. O(1) for each. */
  *refs(): Generator<[Ref<K>, V], undefined, unknown> {
    for (const [key, value] of this.entries()) yield [ref(key), value];
    return undefined;
  }

  /** Calls `callback` for each entry whose key lives, in order of insertion. */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    checkArgument('IterableWeakMap.forEach', 'callback', callback, aFunction);
    for (const [key, value] of this.entries()) {
      Reflect.apply(callback, thisArg, [value, key, this]);
    }
  }

  /** Gives the entries whose keys live, in order of insertion. */
  [Symbol.iterator](): Generator<[K, V], undefined, unknown> {
    return this.entries();
  }

  /** Gives the figures since the map was created. O(1). */
  stats(): WeakCollectionStats {
    return this.#table.stats();
  }

  /**
   * Attaches an observer, such as a watchdog, which is told when an entry is added or removed.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    return this.#table.observe(observer);
  }

  static {
    Object.defineProperty(IterableWeakMap.prototype, Symbol.toStringTag, {
      value: 'IterableWeakMap',
      configurable: true,
    });
    printAs(IterableWeakMap.prototype as IterableWeakMap<WeakKey, unknown>, (map, show) =>
      show(new Map(map)).replace('Map', map[Symbol.toStringTag]),
    );
  }
}
