/**
 * Values by objects that are held weakly, in order of insertion: the common part of IterableWeakMap and IterableWeakSet.
 *
 * ```
 *   table ──▶ slots: WeakMap ──(key)──▶ slot ──▶ value                ┄┄▶ weak
 *     │                                  │         ┊ may reach the key
 *     │                                  ▼
 *     └─────▶ cells: Set, in order ──▶ cell ┄┄▶ key
 *                                        ▲
 *             deaths: registry ──────────┘
 * ```
 *
 * A WeakMap is an ephemeron table: a value keeps its key alive only as long as another holder does. So a value may reach its
 * key, which a Map of WeakRefs to values would hold for ever. The cells know the keys weakly and the values not at all.
 *
 * The registry's callback removes the cell of a key that has died. Until then no read sees it.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { DeathRegistry, type DeathShard } from '../core/death-registry.js';
import type { NodeId, Observation, Observer } from '../core/probe.js';
import { WeakMapWatch } from './weak-map-watch.js';

/** The place of a key in the order of insertion. */
interface Cell<K extends WeakKey> {
  readonly ref: WeakRef<K>;
  /** Where the key is registered. */
  shard: DeathShard<Cell<K>> | undefined;
  /** Its node in the heap of the observer, if one is attached. */
  node: NodeId | undefined;
  /** The serial of the watch that has given the node. */
  watchSerial: number;
}

/** What is stored for a key. */
export interface WeakKeySlot<K extends WeakKey, V> {
  readonly cell: Cell<K>;
  value: V;
}

/** The figures of an iterable weak collection since it was created. */
export interface WeakCollectionStats {
  /** How many keys there are. It includes a key that was collected a moment ago. */
  readonly size: number;
  /** How many keys were removed because V8 has collected them. */
  readonly collected: number;
}

/** Slots by key. */
export class WeakKeyTable<K extends WeakKey, V> {
  readonly #kind: 'weak-map' | 'weak-set';
  readonly #name: string;
  #slots = new WeakMap<K, WeakKeySlot<K, V>>();
  readonly #cells = new Set<Cell<K>>();
  /** {@link clear} replaces it, with the registrations of all cells. */
  #deaths: DeathRegistry<Cell<K>>;
  #watch: WeakMapWatch | null = null;
  #collected = 0;

  constructor(kind: 'weak-map' | 'weak-set', name: string) {
    this.#kind = kind;
    this.#name = name;
    this.#deaths = this.#newRegistry();
  }

  #newRegistry(): DeathRegistry<Cell<K>> {
    // An engine may keep a registry as long as its targets live, so the registry must not hold the table.
    const self = new WeakRef(this);
    return new DeathRegistry((cell) => {
      const table = self.deref();
      if (table !== undefined) table.#removeDead(cell);
    });
  }

  /** How many keys live. O(n). */
  get size(): number {
    let alive = 0;
    for (const { ref } of this.#cells) if (ref.deref() !== undefined) alive++;
    return alive;
  }

  /** Gives the figures since the table was made. O(1). */
  stats(): WeakCollectionStats {
    return { size: this.#cells.size, collected: this.#collected };
  }

  /** Gives the slot of a key; `undefined` for any other value. O(1). */
  get(key: K): WeakKeySlot<K, V> | undefined {
    return this.#slots.get(key);
  }

  /** Adds a key that is not there, at the end. O(1). */
  add(key: K, value: V): void {
    const cell: Cell<K> = {
      ref: new WeakRef(key),
      shard: undefined,
      node: undefined,
      watchSerial: 0,
    };
    this.#slots.set(key, { cell, value });
    this.#cells.add(cell);
    cell.shard = this.#deaths.register(key, cell, cell);
    this.#watch?.added(cell);
  }

  /** Removes a key. Gives its slot if it was there. O(1). */
  delete(key: K): WeakKeySlot<K, V> | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    this.#slots.delete(key);
    this.#remove(slot.cell);
    return slot;
  }

  /** Removes all keys. O(1), and a copy of their list for an observer. */
  clear(): void {
    const removed = this.#watch === null ? [] : [...this.#cells];
    this.#slots = new WeakMap();
    this.#cells.clear();
    this.#deaths = this.#newRegistry();
    this.#watch?.removedTogether(removed);
  }

  /** Gives the keys that live, in order of insertion. Keys may be added, removed and collected meanwhile, as in a Map. */
  *keys(): Generator<K, undefined, unknown> {
    for (const { ref } of this.#cells) {
      const key = ref.deref();
      if (key !== undefined) yield key;
    }
    return undefined;
  }

  /** Attaches an observer. Throws {@link AlreadyWatchedError} while another one is attached. */
  observe(observer: Observer): Observation {
    if (this.#watch !== null) return this.#watch.attach(observer);
    const watch = new WeakMapWatch(
      {
        kind: this.#kind,
        name: this.#name,
        entries: this.#cells,
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

  #remove(cell: Cell<K>): void {
    this.#cells.delete(cell);
    cell.shard?.unregister(cell);
    this.#watch?.removed(cell);
  }

  #removeDead(cell: Cell<K>): void {
    if (!this.#cells.delete(cell)) return;
    this.#collected++;
    this.#watch?.removed(cell);
  }
}
