/**
 * One level of the key trie, and the weak path to it.
 *
 * A level has a reference count: its children, the entry stored at it, and the loads that run for it. At 0 it leaves its
 * parent, which may then leave its own parent. So a cache that has forgotten an entry has forgotten its key.
 *
 * A level under an object is held by a `WeakMap`, so it is collected with that object. No code runs then, and the reference
 * count of its parent is one too high. A `FinalizationRegistry` corrects the count. It holds a `KeyPath`, which knows the
 * ancestors but holds every level weakly. A strong reference would be wrong: a level reaches values, and a value may reach the
 * object whose collection the registry waits for.
 */
import { isObject } from '../../core/is-object.js';

/** The children of every level that has none under objects; stays empty. */
const NO_CHILDREN = new WeakMap<WeakKey, KeyLevel>();

let serials = 0;

/** Gives a number that tells apart levels and paths; small, so that it takes no object of its own. */
function nextSerial(): number {
  serials = (serials + 1) & 0x3fffffff;
  return serials;
}

/** The place of one argument list, or of the first arguments that several lists share. */
export class KeyLevel {
  readonly parent: KeyLevel | undefined;
  /** The argument that leads from the parent to this level: a primitive, or an object held weakly. */
  readonly edge: unknown;
  /** Whether an object is on the path to this level. The level is then collected with that object. */
  readonly isCollectable: boolean;
  /** The value that the unbounded store keeps for this list. It is stored here so that it is collected with the key. */
  stored: unknown = undefined;
  /** The children under objects. */
  byObject: WeakMap<WeakKey, KeyLevel> = NO_CHILDREN;
  #refCount = 0;
  /** The first child under a primitive other than NaN, which `===` misses. It saves the `Map`, most of a level's memory. */
  #firstPrimitive: KeyLevel | undefined = undefined;
  #byPrimitive: Map<unknown, KeyLevel> | undefined = undefined;
  #path: KeyPath | undefined = undefined;
  #serial = 0;

  constructor(parent: KeyLevel | undefined, edge: unknown) {
    this.parent = parent;
    this.edge = isObject(edge) ? new WeakRef(edge) : edge;
    this.isCollectable = parent !== undefined && (parent.isCollectable || isObject(edge));
  }

  /** The path from the top to this level, for holders that must not keep the level alive. */
  get path(): KeyPath {
    this.#path ??= new KeyPath(this, this.isCollectable ? this.parent?.path : undefined);
    return this.#path;
  }

  /** A number that few other levels have, for hashing. */
  get serial(): number {
    if (this.#serial === 0) this.#serial = nextSerial();
    return this.#serial;
  }

  /** The child under `edge`, if there is one. */
  child(edge: unknown): KeyLevel | undefined {
    if (isObject(edge)) return this.byObject.get(edge);
    const first = this.#firstPrimitive;
    if (first !== undefined && first.edge === edge) return first;
    return this.#byPrimitive?.get(edge);
  }

  /** The child under `edge`; adds it if it is missing. The caller must then retain the child or a descendant of it. */
  descend(edge: unknown): KeyLevel {
    const found = this.child(edge);
    if (found !== undefined) return found;
    const child = new KeyLevel(this, edge);
    if (child.isCollectable) void this.path; // One level at a time: a list may be longer than the stack is deep.
    if (isObject(edge)) {
      if (this.byObject === NO_CHILDREN) this.byObject = new WeakMap();
      this.byObject.set(edge, child);
    } else if (this.#firstPrimitive === undefined && !Number.isNaN(edge)) {
      this.#firstPrimitive = child;
    } else {
      this.#byPrimitive ??= new Map();
      this.#byPrimitive.set(edge, child);
    }
    this.#refCount++;
    return child;
  }

  /** Adds a reference. */
  retain(): void {
    this.#refCount++;
  }

  /** Drops a reference. With the last one, the level leaves its parent. */
  release(): void {
    let level: KeyLevel = this;
    while (--level.#refCount <= 0 && level.parent !== undefined) {
      level.parent.#remove(level);
      level.#path?.unlist();
      level = level.parent;
    }
  }

  /** The objects on the path to this level; `undefined` if one was collected, because no call can then reach the level. */
  objects(): WeakKey[] | undefined {
    const alive: WeakKey[] = [];
    for (let level: KeyLevel | undefined = this; level !== undefined; level = level.parent) {
      if (!(level.edge instanceof WeakRef)) continue;
      const object: WeakKey | undefined = level.edge.deref();
      if (object === undefined) return undefined;
      alive.push(object);
    }
    return alive;
  }

  #remove(child: KeyLevel): void {
    if (child.edge instanceof WeakRef) {
      const object = child.edge.deref();
      if (object !== undefined) this.byObject.delete(object);
    } else if (this.#firstPrimitive === child) {
      this.#firstPrimitive = undefined;
    } else {
      this.#byPrimitive?.delete(child.edge);
    }
  }
}

/** The path to a level, from the lowest level above it that stays. It holds all levels on the path weakly. */
export class KeyPath {
  readonly #level: WeakRef<KeyLevel>;
  readonly #parent: KeyPath | undefined;
  /** A number that few other paths have, for hashing. */
  readonly serial: number = nextSerial();
  #isCollected = false;
  /** The set that lists this path while its level is in the trie. */
  listedIn: Set<KeyPath> | undefined = undefined;

  constructor(level: KeyLevel, parent: KeyPath | undefined) {
    this.#level = new WeakRef(level);
    this.#parent = parent;
  }

  /** The level; `undefined` after it was collected. */
  get level(): KeyLevel | undefined {
    return this.#level.deref();
  }

  /** Removes this path from the set that lists it. */
  unlist(): void {
    this.listedIn?.delete(this);
  }

  /** Drops the reference that the collected level had to its lowest present ancestor. Later calls do nothing. */
  levelCollected(): void {
    let path: KeyPath = this;
    while (!path.#isCollected) {
      path.#isCollected = true;
      path.unlist();
      if (path.#parent === undefined) return;
      path = path.#parent;
      const ancestor = path.level;
      if (ancestor !== undefined) {
        ancestor.release();
        return;
      }
    }
  }
}
