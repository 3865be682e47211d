/** A WeakSet that can be iterated and counted, after `weakref.WeakSet` of Python, with the set algebra of JavaScript. */
/// <reference lib="esnext.disposable" preserve="true" />
import { printAs } from '../core/inspect.js';
import { aFunction, checkArgument } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { aWeakKey } from '../core/weak-key.js';
import { type SetLike, setLike } from './set-like.js';
import {
  collectionArguments,
  resolveCollectionOptions,
  type WeakCollectionOptions,
} from './weak-collection-options.js';
import { type WeakCollectionStats, WeakKeyTable } from './weak-key-table.js';

/**
 * A Set that holds its members weakly. When V8 has collected a member, it leaves the set. A loop goes in the order of insertion
 * and sees members that are added meanwhile, as in a Set.
 *
 * It has all members of a Set, the algebra included: `union`, `intersection`, `difference`, `symmetricDifference`, `isSubsetOf`,
 * `isSupersetOf` and `isDisjointFrom` take any Set or Map. The results are weak sets too. `add`, `has` and `delete` are O(1).
 * `size` checks every member and is O(n), as is the algebra.
 *
 * A member that a loop has given stays alive until the current turn of the event loop ends.
 *
 * @example
 * ```ts
 * import { IterableWeakSet } from 'tenure/weak';
 *
 * const [ada, bob, eve] = [{ name: 'ada' }, { name: 'bob' }, { name: 'eve' }];
 * const online = new IterableWeakSet([ada, bob]);
 * online.size; // => 2
 * const blocked = new Set([bob, eve]);
 * [...online.difference(blocked)].map(({ name }) => name); // => ['ada']
 * online.isDisjointFrom(blocked); // => false
 * ```
 */
export class IterableWeakSet<T extends WeakKey> implements Watchable, Iterable<T> {
  readonly #table: WeakKeyTable<T, undefined>;

  /** `'IterableWeakSet'`. */
  declare readonly [Symbol.toStringTag]: string;

  /** @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed. */
  constructor(options?: WeakCollectionOptions);
  /**
   * Makes a set of `members`, such as another set. O(members).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if an option is unknown or malformed, or if a member cannot
   * be referred to weakly.
   */
  constructor(members: Iterable<T> | null | undefined, options?: WeakCollectionOptions);
  constructor(first?: Iterable<T> | WeakCollectionOptions | null, second?: WeakCollectionOptions) {
    const { entries, options } = collectionArguments(first, second);
    const { name } = resolveCollectionOptions('IterableWeakSet', options, 'weak-set');
    this.#table = new WeakKeyTable('weak-set', name);
    for (const member of entries) this.add(member);
  }

  /** How many members live. O(n). */
  get size(): number {
    return this.#table.size;
  }

  /** Whether `member` is in the set. O(1). */
  has(member: T): boolean {
    return this.#table.get(member) !== undefined;
  }

  /**
   * Adds `member`, unless it is in the set. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `member` cannot be referred to weakly.
   */
  add(member: T): this {
    if (this.#table.get(member) !== undefined) return this;
    checkArgument('IterableWeakSet.add', 'member', member, aWeakKey);
    this.#table.add(member, undefined);
    return this;
  }

  /** Removes `member`. True if it was in the set. O(1). */
  delete(member: T): boolean {
    return this.#table.delete(member) !== undefined;
  }

  /** Removes all members. O(n). */
  clear(): void {
    this.#table.clear();
  }

  /** Gives the members that live, in order of insertion. */
  values(): Generator<T, undefined, unknown> {
    return this.#table.keys();
  }

  /** Gives the members that live, in order of insertion. */
  keys(): Generator<T, undefined, unknown> {
    return this.#table.keys();
  }

  /** Gives each member that lives twice, as a pair, in order of insertion. */
  *entries(): Generator<[T, T], undefined, unknown> {
    for (const member of this.#table.keys()) yield [member, member];
    return undefined;
  }

  /** Calls `callback` for each member that lives, in order of insertion. */
  forEach(callback: (member: T, again: T, set: this) => void, thisArg?: unknown): void {
    checkArgument('IterableWeakSet.forEach', 'callback', callback, aFunction);
    for (const member of this.#table.keys()) {
      Reflect.apply(callback, thisArg, [member, member, this]);
    }
  }

  /** Gives the members that live, in order of insertion. */
  [Symbol.iterator](): Generator<T, undefined, unknown> {
    return this.#table.keys();
  }

  // ── Set algebra ──

  /**
   * Gives a set of the members of both.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map, or if a member of it cannot be
   * referred to weakly.
   */
  union<U extends WeakKey>(other: SetLike<U>): IterableWeakSet<T | U> {
    const result = new IterableWeakSet<T | U>(this);
    for (const member of setLike('IterableWeakSet.union', other)) result.add(member);
    return result;
  }

  /**
   * Gives a set of the members that are in both, in the order of the smaller set.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map.
   */
  intersection(other: SetLike<unknown>): IterableWeakSet<T> {
    const others = setLike('IterableWeakSet.intersection', other);
    if (this.size <= others.size) return this.#filter((member) => others.has(member));
    const result = new IterableWeakSet<T>();
    for (const member of others as Iterable<T>) if (this.has(member)) result.add(member);
    return result;
  }

  /**
   * Gives a set of the members that are not in `other`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map.
   */
  difference(other: SetLike<unknown>): IterableWeakSet<T> {
    const others = setLike('IterableWeakSet.difference', other);
    return this.#filter((member) => !others.has(member));
  }

  /**
   * Gives a set of the members that are in one of the two and not in both.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map, or if a member of it cannot be
   * referred to weakly.
   */
  symmetricDifference<U extends WeakKey>(other: SetLike<U>): IterableWeakSet<T | U> {
    const others = setLike('IterableWeakSet.symmetricDifference', other);
    const result = new IterableWeakSet<T | U>(this);
    for (const member of others) {
      if (this.has(member as WeakKey as T)) result.delete(member);
      else result.add(member);
    }
    return result;
  }

  /**
   * Whether every member is in `other`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map.
   */
  isSubsetOf(other: SetLike<unknown>): boolean {
    const others = setLike('IterableWeakSet.isSubsetOf', other);
    for (const member of this) if (!others.has(member)) return false;
    return true;
  }

  /**
   * Whether every member of `other` is in the set.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map.
   */
  isSupersetOf(other: SetLike<unknown>): boolean {
    for (const member of setLike('IterableWeakSet.isSupersetOf', other)) {
      if (!this.has(member as T)) return false;
    }
    return true;
  }

  /**
   * Whether no member is in `other`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `other` is no Set or Map.
   */
  isDisjointFrom(other: SetLike<unknown>): boolean {
    const others = setLike('IterableWeakSet.isDisjointFrom', other);
    for (const member of this) if (others.has(member)) return false;
    return true;
  }

  /** Gives the figures since the set was created. O(1). */
  stats(): WeakCollectionStats {
    return this.#table.stats();
  }

  /**
   * Attaches an observer, such as a watchdog, which is told when a member is added or removed.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    return this.#table.observe(observer);
  }

  #filter(isIncluded: (member: T) => boolean): IterableWeakSet<T> {
    const result = new IterableWeakSet<T>();
    for (const member of this) if (isIncluded(member)) result.add(member);
    return result;
  }

  static {
    // biome-ignore lint/complexity/noThisInStatic: tsc replaces the class's name by an alias that is not set yet
    const prototype: IterableWeakSet<WeakKey> = this.prototype;
    Object.defineProperty(prototype, Symbol.toStringTag, {
      value: 'IterableWeakSet',
      configurable: true,
    });
    printAs(prototype, (set, show) => show(new Set(set)).replace('Set', set[Symbol.toStringTag]));
  }
}
