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
import type { Entry, Tracked } from './entry.js';
import { KeyLevel, type KeyPath } from './key-level.js';
import type { Key } from './key-trie.js';
import type { OnRemoved, RemovalCause, Store } from './store.js';

/** How far the hand moves with each insertion. At 1 it would never gain on a growing store. */
const SWEEP_STRIDE = 3;

const NO_OBJECTS: readonly WeakKey[] = [];

/** A level that stays as long as its entry, or the path to one that may vanish. */
type Leaf = KeyLevel | KeyPath;

/** Entries by key, as many as there are. */
export class MapStore implements Store {
  /** The entries under primitives, for the fast path. */
  readonly primitives: Map<unknown, Entry> = new Map();
  readonly #leaves = new Set<Leaf>();
  readonly #onRemoved: OnRemoved;
  #registry: FinalizationRegistry<KeyPath> | undefined = undefined;
  #primitivesHand: Iterator<[unknown, Entry]> = this.primitives.entries();
  #leavesHand: Iterator<Leaf> = this.#leaves.values();

  constructor(onRemoved: OnRemoved) {
    this.#onRemoved = onRemoved;
  }

  get size(): number {
    return this.primitives.size + this.#leaves.size;
  }

  get(key: Key): Entry | undefined {
    return typeof key === 'object' ? key.entry : this.primitives.get(key);
  }

  peek(key: Key): Entry | undefined {
    return this.get(key);
  }

  set(key: Key, entry: Entry): Tracked | undefined {
    if (typeof key === 'object') return this.#setAtLevel(key, entry);
    const replaced = this.primitives.get(key);
    this.primitives.set(key, entry);
    if (replaced !== undefined) this.#onRemoved(replaced, 'replaced');
    return entry;
  }

  delete(key: Key, cause: RemovalCause): boolean {
    if (typeof key === 'object') return this.#deleteAtLevel(key, cause);
    const entry = this.primitives.get(key);
    if (entry === undefined) return false;
    this.primitives.delete(key);
    this.#onRemoved(entry, cause);
    return true;
  }

  /** The trie is given up with the entries, so its levels are left as they are. */
  clear(): void {
    this.primitives.clear();
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
      const [key, entry] = next.value;
      if (!entry.isFresh(now)) this.delete(key as Key, 'expired');
    }
    for (let step = 0; step < SWEEP_STRIDE; step++) {
      const next = this.#leavesHand.next();
      if (next.done === true) {
        this.#leavesHand = this.#leaves.values();
        break;
      }
      const level = next.value instanceof KeyLevel ? next.value : next.value.level;
      if (level?.entry?.isFresh(now) === false) this.#deleteAtLevel(level, 'expired');
    }
  }

  *tracked(): IterableIterator<Tracked> {
    yield* this.primitives.values();
    for (const leaf of this.#leaves) {
      if (!(leaf instanceof KeyLevel)) yield leaf;
      else if (leaf.entry !== undefined) yield leaf.entry;
    }
  }

  #setAtLevel(level: KeyLevel, entry: Entry): Tracked | undefined {
    if (level.entry !== undefined) this.#deleteAtLevel(level, 'replaced');
    const objects = level.mortal ? level.objects() : NO_OBJECTS;
    if (objects === undefined) return undefined; // The load outlived its key, whose end nobody would report again.
    level.retain();
    level.entry = entry;
    if (!level.mortal) {
      this.#leaves.add(level);
      return entry;
    }
    const { path } = level;
    this.#leaves.add(path);
    this.#registry ??= new FinalizationRegistry((collected) => this.#collected(collected));
    for (const object of objects) this.#registry.register(object, path, path);
    return path;
  }

  #deleteAtLevel(level: KeyLevel, cause: RemovalCause): boolean {
    const { entry } = level;
    if (entry === undefined) return false;
    level.entry = undefined;
    this.#leaves.delete(level.mortal ? level.path : level);
    if (level.mortal) this.#registry?.unregister(level.path);
    level.release();
    this.#onRemoved(level.mortal ? level.path : entry, cause);
    return true;
  }

  #collected(path: KeyPath): void {
    if (!this.#leaves.delete(path)) return; // Another object of the same key went first.
    const { level } = path;
    if (level === undefined) path.vanish();
    else {
      level.entry = undefined; // A load that runs for the same key still holds the level.
      level.release();
    }
    this.#registry?.unregister(path);
    this.#onRemoved(path, 'collected');
  }
}
