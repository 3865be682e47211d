/**
 * A Map that holds its values weakly, after `weakref.WeakValueDictionary` of Python.
 *
 * ```
 *   map ──▶ entries: Map ──▶ entry ──▶ key                     ┄┄▶ weak
 *    │                         ┊ ▲
 *    │                         ┊ └── held value of its registration
 *    └─────▶ deaths: registry  └┄┄┄▶ value
 *               ┊
 *               └┄┄▶ map
 * ```
 *
 * V8 collects a value and, some turns later, calls the registry, which removes the entry. Between the two the entry is *dead*:
 * it exists and its value does not. Two rules follow:
 *
 * - No read sees a dead entry, `size` included, and only the registry's callback removes one. So `onCollect` never runs within
 *   a read, and iterating is safe.
 * - The callback removes the entry that died, and not a newer entry under its key.
 *
 * Each map has a registry of its own. A registry shared by all maps would hold the keys of a dropped map as long as the values
 * live. If a key reaches its value, that is for ever. Many deaths at once are handled in slices (`core/slices.ts`).
 */
/// <reference lib="esnext.disposable" preserve="true" />

import { DeathRegistry } from '../core/death-registry.js';
import { guardedCall } from '../core/guarded-call.js';
import { printAs } from '../core/inspect.js';
import { asMapKey } from '../core/map-key.js';
import { aFunction, argumentError, checkArgument } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { aWeakKey } from '../core/weak-key.js';
import { type Ref, ref } from './ref.js';
import {
  collectionArguments,
  pairsOf,
  resolveWeakValueMapOptions,
  type WeakValueMapOptions,
} from './weak-collection-options.js';
import { WeakEntry } from './weak-entry.js';
import { WeakMapWatch } from './weak-map-watch.js';

/** The figures of a {@link WeakValueMap} since it was created. */
export interface WeakValueMapStats {
  /** How many entries there are. It includes an entry whose value was collected a moment ago. */
  readonly size: number;
  /** How many reads found a value. */
  readonly hits: number;
  /** How many reads found none. */
  readonly misses: number;
  /** How many entries were removed because their value was collected. */
  readonly collected: number;
}

/**
 * A Map that holds its values weakly. When V8 has collected a value, its entry is removed. A key is held strongly as long as
 * its value lives. A loop goes in the order of insertion and sees entries that are added meanwhile, as in a Map.
 *
 * It has all members of a Map and can be passed as one. `get`, `has`, `set` and `delete` are O(1). `size` checks every value and
 * is O(n).
 *
 * A value that a read or a loop has given stays alive until the current turn of the event loop ends. A key that reaches its
 * value keeps it alive for ever.
 *
 * @example
 * ```ts
 * import { WeakValueMap } from 'tenure/weak';
 *
 * const documents = new WeakValueMap<string, { title: string }>();
 * const report = documents.getOrInsertComputed('report', (id) => ({ title: `the ${id}` }));
 * documents.get('report') === report; // => true
 * documents.size; // => 1
 * [...documents.keys()]; // => ['report']
 * documents.get('minutes'); // => undefined
 * ```
 */
export class WeakValueMap<K, V extends WeakKey> implements Watchable, Iterable<[K, V]> {
  readonly #name: string;
  readonly #onCollect: ((key: K) => void) | undefined;
  readonly #entries = new Map<K, WeakEntry<K, V>>();
  readonly #deaths: DeathRegistry<WeakEntry<K, V>>;
  #watch: WeakMapWatch | null = null;
  #hits = 0;
  #misses = 0;
  #collected = 0;

  /** `'WeakValueMap'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed. */
  constructor(options?: WeakValueMapOptions<K>);
  /**
   * Makes a map of `entries`, such as another map. O(entries).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed, or if a value cannot
   * be referred to weakly.
   */
  constructor(
    entries: Iterable<readonly [K, V]> | null | undefined,
    options?: WeakValueMapOptions<K>,
  );
  constructor(
    first?: Iterable<readonly [K, V]> | WeakValueMapOptions<K> | null,
    second?: WeakValueMapOptions<K>,
  ) {
    const { entries, options } = collectionArguments(first, second);
    const { name, onCollect } = resolveWeakValueMapOptions(options);
    this.#name = name;
    this.#onCollect = onCollect;
    // An engine may keep a registry as long as its targets live, so the registry must not hold the map.
    const self = new WeakRef(this);
    this.#deaths = new DeathRegistry((entry) => {
      const map = self.deref();
      if (map !== undefined) map.#removeDead(entry);
    });
    for (const [key, value] of pairsOf('WeakValueMap', entries)) this.set(key, value);
  }

  /** How many values live. O(n). */
  get size(): number {
    let alive = 0;
    for (const entry of this.#entries.values()) {
      if (entry.ref.deref() !== undefined) alive++;
    }
    return alive;
  }

  /** Gives the value under `key`; `undefined` if there is none that lives. O(1). */
  get(key: K): V | undefined {
    const value = this.#entries.get(key)?.ref.deref();
    if (value === undefined) this.#misses++;
    else this.#hits++;
    return value;
  }

  /** Whether a value under `key` lives. V8 may collect it after this turn: use {@link get} to hold it. O(1). */
  has(key: K): boolean {
    return this.#entries.get(key)?.ref.deref() !== undefined;
  }

  /**
   * Sets the value under `key`, and replaces a former one. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `value` cannot be referred to weakly. The map then
   * stays as it is.
   */
  set(key: K, value: V): this {
    if (aWeakKey(value) !== undefined) {
      throw argumentError(`${this[Symbol.toStringTag]}.set`, 'value', value, aWeakKey);
    }
    const former = this.#entries.get(key);
    if (former !== undefined) {
      const formerValue = former.ref.deref();
      if (formerValue === value) return this;
      former.shard?.unregister(former);
      this.#watch?.removed(former);
      if (formerValue === undefined) {
        this.#collected++;
        this.#entries.delete(key); // A new key goes to the end, as in a Map.
      }
    }
    const entry = new WeakEntry(key, value);
    this.#entries.set(key, entry);
    entry.shard = this.#deaths.register(value, entry, entry);
    this.#watch?.added(entry);
    return this;
  }

  /**
   * Gives the value under `key`. If none lives, it sets `value` and gives that. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `value` is needed and cannot be referred to weakly. The
   * map then stays as it is.
   */
  getOrInsert(key: K, value: V): V {
    const known = this.get(key);
    if (known !== undefined) return known;
    this.set(key, value);
    return value;
  }

  /**
   * Gives the value under `key`. If none lives, it sets the result of `make(key)` and gives that. O(1) besides `make`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `make` is no function, or if its result cannot be
   * referred to weakly; what `make` throws. The map then stays as it is.
   */
  getOrInsertComputed(key: K, make: (key: K) => V): V {
    checkArgument('WeakValueMap.getOrInsertComputed', 'make', make, aFunction);
    const known = this.get(key);
    if (known !== undefined) return known;
    const made = make(asMapKey(key));
    this.set(key, made);
    return made;
  }

  /** Removes the value under `key`. True if there was one that lived. O(1). */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.ref.deref() === undefined) return false;
    this.#remove(entry);
    return true;
  }

  /** Removes the value under `key` and gives it; `undefined` if there was none that lived. O(1). */
  take(key: K): V | undefined {
    const value = WeakValueMap.prototype.get.call(this, key) as V | undefined; // It does not count as a use in a SoftValueMap.
    if (value !== undefined) this.delete(key);
    return value;
  }

  /** Removes all values. O(n). */
  clear(): void {
    const removed: WeakEntry<K, V>[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.ref.deref() === undefined) continue;
      this.#forget(entry);
      removed.push(entry);
    }
    this.#watch?.removedTogether(removed);
  }

  /** Gives the entries whose values live, in order of insertion. */
  *entries(): Generator<[K, V], undefined, unknown> {
    for (const [key, entry] of this.#entries) {
      const value = entry.ref.deref();
      if (value !== undefined) yield [key, value];
    }
    return undefined;
  }

  /** Gives the keys of the values that live, in order of insertion. */
  *keys(): Generator<K, undefined, unknown> {
    for (const [key, entry] of this.#entries) {
      if (entry.ref.deref() !== undefined) yield key;
    }
    return undefined;
  }

  /** Gives the values that live, in order of insertion. */
  *values(): Generator<V, undefined, unknown> {
    for (const entry of this.#entries.values()) {
      const value = entry.ref.deref();
      if (value !== undefined) yield value;
    }
    return undefined;
  }

  /**
   * Gives the keys with weak references to the values that live, in order of insertion. A value stays alive no longer than the
   * turn in which its pair is given. O(1) for each.
   */
  *refs(): Generator<[K, Ref<V>], undefined, unknown> {
    for (const [key, value] of this.entries()) yield [key, ref(value)];
    return undefined;
  }

  /** Calls `callback` for each entry whose value lives, in order of insertion. */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    checkArgument('WeakValueMap.forEach', 'callback', callback, aFunction);
    for (const [key, value] of this.entries()) {
      Reflect.apply(callback, thisArg, [value, key, this]);
    }
  }

  /** Gives the entries whose values live, in order of insertion. */
  [Symbol.iterator](): Generator<[K, V], undefined, unknown> {
    return this.entries();
  }

  /** Gives the figures since the map was created. O(1). */
  stats(): WeakValueMapStats {
    return {
      size: this.#entries.size,
      hits: this.#hits,
      misses: this.#misses,
      collected: this.#collected,
    };
  }

  /**
   * Attaches an observer, such as a watchdog, which is told when an entry is added or removed.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    if (this.#watch !== null) return this.#watch.attach(observer);
    const watch = new WeakMapWatch(
      {
        kind: 'weak-map',
        name: this.#name,
        entries: { [Symbol.iterator]: () => this.#entries.values() },
        stats: () => ({ ...this.stats() }),
        unwatched: () => {
          this.#watch = null;
        },
      },
      observer,
    );
    this.#watch = watch;
    return watch.attach(observer);
  }

  #remove(entry: WeakEntry<K, V>): void {
    this.#forget(entry);
    this.#watch?.removed(entry);
  }

  #forget(entry: WeakEntry<K, V>): void {
    this.#entries.delete(entry.key);
    entry.shard?.unregister(entry);
  }

  #removeDead(entry: WeakEntry<K, V>): void {
    if (this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
    this.#collected++;
    this.#watch?.removed(entry);
    const onCollect = this.#onCollect;
    if (onCollect !== undefined) {
      guardedCall(`onCollect of ${this.#name}`, () => onCollect(entry.key));
    }
  }

  static {
    Object.defineProperty(WeakValueMap.prototype, Symbol.toStringTag, {
      value: 'WeakValueMap',
      configurable: true,
    });
    printAs(WeakValueMap.prototype as WeakValueMap<unknown, WeakKey>, (map, show) =>
      show(new Map(map)).replace('Map', map[Symbol.toStringTag]),
    );
  }
}
