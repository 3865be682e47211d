/**
 * Argument lists as keys, by identity, without a key string. There is one level per argument, with a `Map` for primitives and
 * a `WeakMap` for objects.
 *
 * ```
 *   f(1, user)       plain ──1──▶ ○ ──(user)──▶ ●       (x) an object, held weakly
 *   f(1)             plain ──1──▶ ●                      ●  the place of an argument list
 *   shop.f(1)        owned ──(shop)──▶ ○ ──1──▶ ●
 * ```
 *
 * Maps compare by SameValueZero, so 1 is not "1", NaN is NaN and -0 is 0. The depth is the argument count, so `f()` is not
 * `f(undefined)`. The most common list, a single primitive without a receiver, is its own key and needs no level.
 */
import { KeyLevel, KeyPath } from './key-level.js';

/** The key of an entry: a primitive, or the level of an argument list. */
export type Key = KeyLevel | string | number | bigint | boolean | symbol;

/** A reference to an entry that does not keep the objects in its key alive: the key, or the path to a collectable level. */
export type KeyRef = Key | KeyPath;

/** The edge of the top level for calls with a receiver. The receiver is then the first edge below it. */
const OWNED = Symbol('owned');

/** The argument lists that a cache knows. */
export class KeyTrie {
  /** Lists of calls without a receiver. */
  readonly plain: KeyLevel = new KeyLevel(undefined, undefined);
  /** Lists of calls with a receiver. Most caches never have one. */
  #owned: KeyLevel | undefined = undefined;
  readonly #receivers: Set<KeyPath> = new Set();

  /** The key of an argument list, if the trie has it. A primitive is its own key, with or without an entry. */
  find(receiver: unknown, args: readonly unknown[]): Key | undefined {
    const plain = hasNoReceiver(receiver);
    if (plain && args.length === 1 && isOwnKey(args[0])) return args[0];
    return follow(plain ? this.plain : this.#owned?.child(receiver), args);
  }

  /**
   * The key of an argument list, added if it is missing, and retained. The caller must {@link release} it. `undefined` if the
   * engine's maps can take no more keys.
   */
  intern(receiver: unknown, args: readonly unknown[]): Key | undefined {
    const plain = hasNoReceiver(receiver);
    if (plain && args.length === 1 && isOwnKey(args[0])) return args[0];
    let level = this.plain;
    try {
      if (!plain) level = this.#receiverLevel(receiver);
      for (const arg of args) level = level.descend(arg);
      level.retain();
      return level;
    } catch (error) {
      level.retain();
      level.release(); // Removes the levels that were added for this list.
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** The known keys of an argument list: the one without a receiver, and one for each present receiver. O(receivers). */
  findAll(args: readonly unknown[]): Key[] {
    const plain = this.find(undefined, args);
    const found: Key[] = plain === undefined ? [] : [plain];
    for (const path of this.#receivers) {
      const level = follow(path.level, args);
      if (level !== undefined) found.push(level);
    }
    return found;
  }

  #receiverLevel(receiver: unknown): KeyLevel {
    this.#owned ??= new KeyLevel(undefined, OWNED);
    const level = this.#owned.descend(receiver);
    level.path.listedIn = this.#receivers;
    this.#receivers.add(level.path);
    return level;
  }
}

/** The argument list behind a reference, without its receiver; `undefined` if an object in it was collected. */
export function argsOf(ref: KeyRef): unknown[] | undefined {
  const key = keyOf(ref);
  if (key === undefined) return undefined;
  if (typeof key !== 'object') return [key];
  const args: unknown[] = [];
  let level = key;
  for (; level.parent !== undefined; level = level.parent) {
    const edge = level.edge instanceof WeakRef ? level.edge.deref() : level.edge;
    if (edge === undefined && level.edge !== undefined) return undefined;
    args.unshift(edge);
  }
  return level.edge === OWNED ? args.slice(1) : args;
}

/** Whether a reference is to an entry of a call with a receiver. */
export function hasReceiver(ref: KeyRef): boolean {
  const key = keyOf(ref);
  if (typeof key !== 'object') return false;
  let level = key;
  while (level.parent !== undefined) level = level.parent;
  return level.edge === OWNED;
}

/** Adds a reference to a key that was interned. */
export function retain(key: Key): void {
  if (typeof key === 'object') key.retain();
}

/** Drops a reference to a key that was interned. */
export function release(key: Key): void {
  if (typeof key === 'object') key.release();
}

/** The reference to a key. */
export function refOf(key: Key): KeyRef {
  return typeof key === 'object' && key.isCollectable ? key.path : key;
}

/** The key behind a reference; `undefined` after its level was collected. */
export function keyOf(ref: KeyRef): Key | undefined {
  return ref instanceof KeyPath ? ref.level : ref;
}

/** Whether a call has no receiver. Sloppy-mode code and some bundlers pass the global object instead of none. */
export function hasNoReceiver(receiver: unknown): boolean {
  return receiver === undefined || receiver === null || receiver === globalThis;
}

/** Whether an argument is its own key. `undefined` and `null` are not, because lru-cache does not take them as keys. */
function isOwnKey(arg: unknown): arg is Exclude<Key, KeyLevel> {
  return arg !== undefined && arg !== null && typeof arg !== 'object' && typeof arg !== 'function';
}

function follow(top: KeyLevel | undefined, args: readonly unknown[]): KeyLevel | undefined {
  let level = top;
  for (let i = 0; i < args.length && level !== undefined; i++) level = level.child(args[i]);
  return level;
}
