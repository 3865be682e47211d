/**
 * The unbounded store. An entry under a primitive lies in one `Map`; an entry under an argument list lies at its level
 * of the key trie, so it dies with the objects in its key, and a value may refer to its own key without keeping it
 * alive.
 *
 * What dies with its key does so silently: a `FinalizationRegistry`, made for the first such entry, keeps the count and
 * the trie right afterwards. It holds paths, never levels, entries or values.
 *
 * Expired entries that nobody asks for again are found by a hand that moves over all entries a few places with each
 * insertion. There is no timer, no order among entries that a ttl of their own would upset, and no long pause; what is
 * kept too long is at most what was stored during one round.
 */

import { KeyLevel, type KeyPath } from '../keys/key-level.js';
import { type Key, type KeyRef, refOf } from '../keys/key-trie.js';
import type { FastState } from './fast-state.js';
import type { OnRemoved, RemovalCause, Store } from './store.js';
import { isDead, type Stored } from './stored.js';

/** How far the hand moves with each insertion. At 1 it would never gain on a growing store. */
const SWEEP_STRIDE = 3;

const NO_OBJECTS: readonly WeakKey[] = [];

/** A level that stays as long as its entry, or the path to one that may vanish. */
type Leaf = KeyLevel | KeyPath;

/** Entries by key, as many as there are. */
export class MapStore implements Store {
  /** The entries under primitives, for the fast paths. */
  readonly primitives: Map<unknown, Stored> = new Map();
  /** The entries under single objects, for the fast paths: each is at its level too. */
  objects: WeakMap<WeakKey, Stored> = new WeakMap();
  readonly #leaves = new Set<Leaf>();
  readonly #onRemoved: OnRemoved;
  readonly #fast: FastState;
  #registry: FinalizationRegistry<KeyPath> | undefined = undefined;
  #primitivesHand: Iterator<[unknown, Stored]> = this.primitives.entries();
  #leavesHand: Iterator<Leaf> = this.#leaves.values();

  constructor(onRemoved: OnRemoved, fast: FastState) {
    this.#onRemoved = onRemoved;
    this.#fast = fast;
    fast.mapsChanged(this.primitives, this.objects);
  }

  get size(): number {
    return this.primitives.size + this.#leaves.size;
  }

  get(key: Key): Stored {
    return typeof key === 'object' ? key.stored : this.primitives.get(key);
  }

  peek(key: Key): Stored {
    return this.get(key);
  }

  set(key: Key, stored: Stored): boolean {
    if (typeof key === 'object') return this.#setAtLevel(key, stored);
    const replaced = this.primitives.get(key);
    this.primitives.set(key, stored);
    if (replaced !== undefined) this.#onRemoved(key, replaced, 'replaced');
    return true;
  }

  add(key: Key, stored: Stored): boolean {
    if (typeof key === 'object') return this.#setAtLevel(key, stored);
    this.primitives.set(key, stored);
    return true;
  }

  delete(key: Key, cause: RemovalCause): boolean {
    if (typeof key === 'object') return this.#deleteAtLevel(key, cause);
    const stored = this.primitives.get(key);
    if (stored === undefined) return false;
    this.primitives.delete(key);
    this.#onRemoved(key, stored, cause);
    return true;
  }

  /** The trie is given up with the entries, so its levels are left as they are. */
  clear(): void {
    this.primitives.clear();
    this.objects = new WeakMap();
    this.#fast.mapsChanged(this.primitives, this.objects);
    this.#leaves.clear();
    this.#registry = undefined;
  }

  sweep(now: number): void {
    for (let step = 0; step < SWEEP_STRIDE; step++) {
      const next = this.#primitivesHand.next();
      if (next.done === true) {
        this.#primitivesHand = this.primitives.entries();
        break;
      }
      const [key, stored] = next.value;
      if (isDead(stored, now)) this.delete(key as Key, 'expired');
    }
    for (let step = 0; step < SWEEP_STRIDE; step++) {
      const next = this.#leavesHand.next();
      if (next.done === true) {
        this.#leavesHand = this.#leaves.values();
        break;
      }
      const level = next.value instanceof KeyLevel ? next.value : next.value.level;
      if (level !== undefined && isDead(level.stored, now)) this.#deleteAtLevel(level, 'expired');
    }
  }

  *refs(): IterableIterator<KeyRef> {
    yield* this.primitives.keys() as IterableIterator<Key>;
    yield* this.#leaves;
  }

  #setAtLevel(level: KeyLevel, stored: Stored): boolean {
    if (level.stored !== undefined) this.#deleteAtLevel(level, 'replaced');
    const objects = level.mortal ? level.objects() : NO_OBJECTS;
    if (objects === undefined) return false; // The load outlived its key, whose end nobody would report again.
    level.retain();
    level.stored = stored;
    if (objects.length === 1 && isSingle(level)) this.objects.set(objects[0] as WeakKey, stored);
    if (!level.mortal) {
      this.#leaves.add(level);
      return true;
    }
    const { path } = level;
    this.#leaves.add(path);
    this.#registry ??= new FinalizationRegistry((collected) => this.#collected(collected));
    for (const object of objects) this.#registry.register(object, path, path);
    return true;
  }

  #deleteAtLevel(level: KeyLevel, cause: RemovalCause): boolean {
    const { stored } = level;
    if (stored === undefined) return false;
    level.stored = undefined;
    if (level.mortal && isSingle(level)) {
      const [object] = level.objects() ?? NO_OBJECTS;
      if (object !== undefined) this.objects.delete(object);
    }
    this.#leaves.delete(level.mortal ? level.path : level);
    if (level.mortal) this.#registry?.unregister(level.path);
    this.#onRemoved(refOf(level), stored, cause);
    level.release();
    return true;
  }

  #collected(path: KeyPath): void {
    if (!this.#leaves.delete(path)) return; // Another object of the same key went first.
    const { level } = path;
    if (level === undefined) path.vanish();
    else {
      level.stored = undefined; // A load that runs for the same key still holds the level.
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
