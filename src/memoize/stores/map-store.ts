/**
 * The unbounded store. An entry under a primitive is in one `Map`. An entry under an argument list is at its level of the key
 * trie. So it is collected with the objects in its key, and a value may refer to its own key without keeping it alive.
 *
 * No code runs when such an entry is collected. A `FinalizationRegistry` corrects the count and the trie afterwards. It is made
 * for the first such entry, and holds paths, never levels, entries or values.
 */

import type { KeyLevel, KeyPath } from '../keys/key-level.js';
import { type Key, type KeyRef, refOf } from '../keys/key-trie.js';
import type { FastState } from './fast-state.js';
import type { OnRemoved, RemovalCause, Store } from './store.js';
import type { Stored } from './stored.js';

const NO_OBJECTS: readonly WeakKey[] = [];

/** A level that stays as long as its entry, or the path to a level that may be collected. */
type Leaf = KeyLevel | KeyPath;

/** Entries by key, without a bound. */
export class MapStore implements Store {
  readonly fastPath = 'maps';
  readonly #primitives: Map<unknown, Stored> = new Map();
  /** The entries under single objects, for the fast path: each is at its level too. */
  #objects: WeakMap<WeakKey, Stored> = new WeakMap();
  readonly #leaves = new Set<Leaf>();
  readonly #onRemoved: OnRemoved;
  readonly #fast: FastState;
  #registry: FinalizationRegistry<KeyPath> | undefined = undefined;

  constructor(onRemoved: OnRemoved, fast: FastState) {
    this.#onRemoved = onRemoved;
    this.#fast = fast;
    fast.setResults(this.#primitives, undefined, this.#objects);
  }

  get size(): number {
    return this.#primitives.size + this.#leaves.size;
  }

  get(key: Key): Stored {
    return typeof key === 'object' ? key.stored : this.#primitives.get(key);
  }

  peek(key: Key): Stored {
    return this.get(key);
  }

  set(key: Key, stored: Stored): boolean {
    if (typeof key === 'object') return this.#setAtLevel(key, stored);
    const replaced = this.#primitives.get(key);
    if (!this.add(key, stored)) return false;
    if (replaced !== undefined) this.#onRemoved(key, replaced, 'replaced');
    return true;
  }

  add(key: Key, stored: Stored): boolean {
    if (typeof key === 'object') return this.#setAtLevel(key, stored);
    return fits(() => this.#primitives.set(key, stored));
  }

  delete(key: Key, cause: RemovalCause): boolean {
    if (typeof key === 'object') return this.#deleteAtLevel(key, cause);
    const stored = this.#primitives.get(key);
    if (stored === undefined) return false;
    this.#primitives.delete(key);
    this.#onRemoved(key, stored, cause);
    return true;
  }

  /** Removes everything. The trie is given up too, so its levels stay as they are. */
  clear(): void {
    this.#primitives.clear();
    this.#objects = new WeakMap();
    this.#fast.setResults(this.#primitives, undefined, this.#objects);
    this.#leaves.clear();
    this.#registry = undefined;
  }

  *refs(): IterableIterator<KeyRef> {
    yield* this.#primitives.keys() as IterableIterator<Key>;
    yield* this.#leaves;
  }

  present(): IterableIterator<KeyRef> {
    return this.refs();
  }

  #setAtLevel(level: KeyLevel, stored: Stored): boolean {
    if (level.stored !== undefined) this.#deleteAtLevel(level, 'replaced');
    const objects = level.isCollectable ? level.objects() : NO_OBJECTS;
    if (objects === undefined) return false; // The key was collected before, and is not reported again.
    const leaf = level.isCollectable ? level.path : level;
    if (!fits(() => this.#leaves.add(leaf))) return false;
    level.retain();
    level.stored = stored;
    if (objects.length === 1 && isSingle(level)) this.#objects.set(objects[0] as WeakKey, stored);
    if (!level.isCollectable) return true;
    const { path } = level;
    this.#registry ??= new FinalizationRegistry((collected) => this.#collected(collected));
    for (const object of objects) this.#registry.register(object, path, path);
    return true;
  }

  #deleteAtLevel(level: KeyLevel, cause: RemovalCause): boolean {
    const { stored } = level;
    if (stored === undefined) return false;
    level.stored = undefined;
    if (level.isCollectable && isSingle(level)) {
      const [object] = level.objects() ?? NO_OBJECTS;
      if (object !== undefined) this.#objects.delete(object);
    }
    this.#leaves.delete(level.isCollectable ? level.path : level);
    if (level.isCollectable) this.#registry?.unregister(level.path);
    this.#onRemoved(refOf(level), stored, cause);
    level.release();
    return true;
  }

  #collected(path: KeyPath): void {
    if (!this.#leaves.delete(path)) return; // Another object of the key was collected first.
    const { level } = path;
    if (level === undefined) path.levelCollected();
    else {
      level.stored = undefined; // A load that runs for the key still holds the level.
      level.release();
    }
    this.#registry?.unregister(path);
    this.#onRemoved(path, undefined, 'collected');
  }
}

/** Whether a level is that of one argument and no receiver. */
function isSingle({ parent }: KeyLevel): boolean {
  return parent !== undefined && parent.parent === undefined && parent.edge === undefined;
}

/** Runs an insertion. False if it is refused: V8's maps and sets take 2^24 keys. */
function fits(insert: () => unknown): boolean {
  try {
    insert();
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
