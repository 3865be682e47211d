/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A Map that does not keep its values alive, after `weakref.WeakValueDictionary` of Python.
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
 * When V8 has collected a value it calls the registry, some turns later, and the entry goes. Between the two, the entry
 * is there and its value is not. Two rules follow:
 *
 * - Dead entries are hidden from every question, `size` included, and only the registry's callback removes them. A read
 *   never removes anything, so `onCollect` never runs inside of a read, and iterating is safe.
 * - The callback removes the entry that died, and not what stands under its key by then.
 *
 * The registry belongs to the map. A registry that all maps shared would hold the keys of a map that was dropped for as
 * long as its values live, and for ever if a key reaches its value.
 */
import { AlreadyWatchedError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { runUnattended } from './run-unattended.js';
import { WeakEntry } from './weak-entry.js';
import { aWeakKey } from './weak-key.js';
import { WeakMapWatch } from './weak-map-watch.js';
import { resolveWeakValueMapOptions, type WeakValueMapOptions } from './weak-value-map-options.js';

/** The figures of a {@link WeakValueMap} since it was made. */
export interface WeakValueMapStats {
  /** Entries that are kept, those included whose value was collected a moment ago. */
  readonly size: number;
  /** Reads that found a value. */
  readonly hits: number;
  /** Reads that found none. */
  readonly misses: number;
  /** Entries that went because their value was collected. */
  readonly collected: number;
}

/**
 * A Map whose values can be collected while they are in it; their entries then go by themselves. Keys are held strongly,
 * as long as their value lives. Iterating goes in the order of insertion and sees what is added meanwhile, as in a Map.
 *
 * `get`, `has`, `set` and `delete` are O(1); `size` asks every value and is O(n). A value that a read has returned stays
 * alive until the current turn of the event loop ends.
 *
 * A key that reaches its value keeps it alive. So does whoever iterates, for the turn.
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
  readonly #deaths: FinalizationRegistry<WeakEntry<K, V>>;
  #watch: WeakMapWatch | null = null;
  #hits = 0;
  #misses = 0;
  #collected = 0;

  /** `'WeakValueMap'`. */
  declare readonly [Symbol.toStringTag]: string;

  /**
   * An empty map.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed.
   */
  constructor(options: WeakValueMapOptions<K> = {}) {
    const { name, onCollect } = resolveWeakValueMapOptions(options);
    this.#name = name;
    this.#onCollect = onCollect;
    // No engine has to drop a registry while what it has registered lives, so it must not hold the map.
    const self = new WeakRef(this);
    this.#deaths = new FinalizationRegistry((entry) => {
      const map = self.deref();
      if (map !== undefined) map.#bury(entry);
    });
  }

  /** How many values are alive. O(n). */
  get size(): number {
    let alive = 0;
    for (const entry of this.#entries.values()) {
      if (entry.ref.deref() !== undefined) alive++;
    }
    return alive;
  }

  /** The value under `key`, if it is alive. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key)?.ref.deref();
    if (value === undefined) this.#misses++;
    else this.#hits++;
    return value;
  }

  /** Whether there is a live value under `key`. It may be collected after this turn: `get` it to keep it. */
  has(key: K): boolean {
    return this.#entries.get(key)?.ref.deref() !== undefined;
  }

  /**
   * Puts `value` under `key`, in the place of what was there.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if nothing can refer to `value` weakly; what was
   * there stays.
   */
  set(key: K, value: V): this {
    checkArgument('WeakValueMap.set', 'value', value, aWeakKey);
    const former = this.#entries.get(key);
    if (former !== undefined) {
      const formerValue = former.ref.deref();
      if (formerValue === value) return this;
      this.#deaths.unregister(former);
      this.#watch?.gone(former);
      if (formerValue === undefined) {
        this.#collected++;
        this.#entries.delete(key); // A Map would put what is new to it at the end.
      }
    }
    const entry = new WeakEntry(key, value);
    this.#entries.set(key, entry);
    this.#deaths.register(value, entry, entry);
    this.#watch?.born(entry);
    return this;
  }

  /**
   * The live value under `key`; if there is none, `make(key)` makes it and it is put there.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `make` is no function, or if nothing can refer
   * to what it made weakly; what `make` throws. The map then stays as it is.
   */
  getOrInsertComputed(key: K, make: (key: K) => V): V {
    checkArgument('WeakValueMap.getOrInsertComputed', 'make', make, aFunction);
    const known = this.get(key);
    if (known !== undefined) return known;
    const made = make(key);
    this.set(key, made);
    return made;
  }

  /** Removes the value under `key`; says whether there was a live one. */
  delete(key: K): boolean {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.ref.deref() === undefined) return false;
    this.#drop(entry);
    return true;
  }

  /** Removes all values. O(n). */
  clear(): void {
    for (const entry of this.#entries.values()) {
      if (entry.ref.deref() !== undefined) this.#drop(entry);
    }
  }

  /** The live entries, in order of insertion. */
  *entries(): Generator<[K, V], undefined, unknown> {
    for (const [key, entry] of this.#entries) {
      const value = entry.ref.deref();
      if (value !== undefined) yield [key, value];
    }
    return undefined;
  }

  /** The keys of the live values, in order of insertion. */
  *keys(): Generator<K, undefined, unknown> {
    for (const [key, entry] of this.#entries) {
      if (entry.ref.deref() !== undefined) yield key;
    }
    return undefined;
  }

  /** The live values, in order of insertion of their keys. */
  *values(): Generator<V, undefined, unknown> {
    for (const entry of this.#entries.values()) {
      const value = entry.ref.deref();
      if (value !== undefined) yield value;
    }
    return undefined;
  }

  /** Calls `callback` for each live entry, in order of insertion. */
  forEach(callback: (value: V, key: K, map: this) => void, thisArg?: unknown): void {
    checkArgument('WeakValueMap.forEach', 'callback', callback, aFunction);
    for (const [key, value] of this.entries()) {
      Reflect.apply(callback, thisArg, [value, key, this]);
    }
  }

  /** The live entries, in order of insertion. */
  [Symbol.iterator](): Generator<[K, V], undefined, unknown> {
    return this.entries();
  }

  /** The figures since the map was made. O(1). */
  stats(): WeakValueMapStats {
    return {
      size: this.#entries.size,
      hits: this.#hits,
      misses: this.#misses,
      collected: this.#collected,
    };
  }

  /**
   * Attaches an observer, as a watchdog does; it is told of each entry's life.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another is attached.
   */
  [observe](observer: Observer): Observation {
    if (this.#watch !== null) throw new AlreadyWatchedError(this.#name);
    const watch = new WeakMapWatch(
      {
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
    return watch;
  }

  #drop(entry: WeakEntry<K, V>): void {
    this.#entries.delete(entry.key);
    this.#deaths.unregister(entry);
    this.#watch?.gone(entry);
  }

  #bury(entry: WeakEntry<K, V>): void {
    if (this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
    this.#collected++;
    this.#watch?.gone(entry);
    const onCollect = this.#onCollect;
    if (onCollect !== undefined) {
      runUnattended(`onCollect of ${this.#name}`, () => onCollect(entry.key));
    }
  }

  static {
    Object.defineProperty(WeakValueMap.prototype, Symbol.toStringTag, {
      value: 'WeakValueMap',
      configurable: true,
    });
  }
}
