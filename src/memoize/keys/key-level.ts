/**
 * One level of the key trie, and the weak account of it.
 *
 * A level counts what needs it: its children, the entry stored at it and the loads that run for it. When nothing does,
 * it leaves its parent, and so on upwards: a cache that has forgotten an entry has forgotten its key.
 *
 * A level reached through an object hangs in a `WeakMap`, so it can also vanish with that object, without a word. Its
 * parent then counts a child too many. `KeyPath` is what a `FinalizationRegistry` may hold to put that right: it knows
 * the way up, but holds every level weakly, for a level reaches values, and a value may reach the very object whose
 * death is waited for.
 */

/** Shared by all levels that no object leads away from; it stays empty. */
const NO_CHILDREN = new WeakMap<WeakKey, KeyLevel>();

/** The place of one argument list, or of the beginning of some. */
export class KeyLevel {
  readonly parent: KeyLevel | undefined;
  /** What leads here from the parent: a primitive, or an object held weakly. */
  readonly edge: unknown;
  /** Whether some object's death can take this level away. */
  readonly isCollectable: boolean;
  /** What the unbounded store keeps here, so that it lives no longer than the key. */
  stored: unknown = undefined;
  /** Where objects lead. */
  byObject: WeakMap<WeakKey, KeyLevel> = NO_CHILDREN;
  #refCount = 0;
  /** One child under a primitive (not NaN, which `===` misses) needs no `Map`, which costs more than all else here. */
  #firstPrimitive: KeyLevel | undefined = undefined;
  #byPrimitive: Map<unknown, KeyLevel> | undefined = undefined;
  #path: KeyPath | undefined = undefined;

  constructor(parent: KeyLevel | undefined, edge: unknown) {
    this.parent = parent;
    this.edge = isObject(edge) ? new WeakRef(edge) : edge;
    this.isCollectable = parent !== undefined && (parent.isCollectable || isObject(edge));
  }

  /** The way from the top to here, for those who must not keep this level alive. */
  get path(): KeyPath {
    this.#path ??= new KeyPath(this, this.parent?.path);
    return this.#path;
  }

  /** The level that `edge` leads to, if there is one. */
  child(edge: unknown): KeyLevel | undefined {
    if (isObject(edge)) return this.byObject.get(edge);
    const first = this.#firstPrimitive;
    if (first !== undefined && first.edge === edge) return first;
    return this.#byPrimitive?.get(edge);
  }

  /** The level that `edge` leads to, made if need be. The caller retains it, or a descendant, before anything else. */
  descend(edge: unknown): KeyLevel {
    const found = this.child(edge);
    if (found !== undefined) return found;
    const child = new KeyLevel(this, edge);
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

  /** One more needs this level. */
  retain(): void {
    this.#refCount++;
  }

  /** One less needs this level; with the last it leaves its parent. */
  release(): void {
    this.#refCount--;
    if (this.#refCount > 0 || this.parent === undefined) return;
    this.parent.#remove(this);
    this.#path?.unlist();
    this.parent.release();
  }

  /** The objects on the way here; `undefined` once one of them is gone, and nobody can come here any more. */
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

/** The way to a level, which holds none of the levels. */
export class KeyPath {
  readonly #level: WeakRef<KeyLevel>;
  readonly #parent: KeyPath | undefined;
  #isCollected = false;
  /** Where this path is listed as long as its level stands. */
  listedIn: Set<KeyPath> | undefined = undefined;

  constructor(level: KeyLevel, parent: KeyPath | undefined) {
    this.#level = new WeakRef(level);
    this.#parent = parent;
  }

  /** The level, unless it has vanished with its object. */
  get level(): KeyLevel | undefined {
    return this.#level.deref();
  }

  /** Nobody finds the level any more. */
  unlist(): void {
    this.listedIn?.delete(this);
  }

  /** The level was collected: the lowest ancestor that is still there has lost a child, once for each child. */
  levelCollected(): void {
    let path: KeyPath = this;
    while (!path.#isCollected) {
      path.#isCollected = true;
      path.unlist();
      if (path.#parent === undefined) return;
      path = path.#parent;
      const survivor = path.level;
      if (survivor !== undefined) {
        survivor.release();
        return;
      }
    }
  }
}

/** Whether a value can be the key of a `WeakMap` whatever the engine; symbols count as primitives. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
