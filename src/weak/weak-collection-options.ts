/** The options of weak maps and sets. */
import {
  aFunction,
  aName,
  checkArgument,
  integer,
  type OptionCheck,
  type OptionTable,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';

/** Options of an {@link IterableWeakMap} and an {@link IterableWeakSet}. */
export interface WeakCollectionOptions {
  /**
   * The name of the collection in reports and errors.
   *
   * @default its kind: 'weak-map' or 'weak-set'
   */
  readonly name?: string;
}

/** Options of a {@link WeakValueMap}. */
export interface WeakValueMapOptions<K> extends WeakCollectionOptions {
  /**
   * Called with a key some turns after its value was collected, when the entry has left the map. It is not called for an
   * entry that was deleted or replaced. An error that it throws is printed with `console.error`.
   *
   * @default none
   */
  readonly onCollect?: (key: K) => void;
}

/** Options of a {@link SoftValueMap}. */
export interface SoftValueMapOptions<K> extends WeakValueMapOptions<K> {
  /**
   * How many of the most recently used values are held strongly.
   *
   * @default 100
   */
  readonly maxStrong?: number;
}

/** What the options of a weak collection resolve to. */
export interface WeakCollectionSettings {
  readonly name: string;
}

/** What the options of a WeakValueMap resolve to. */
export interface WeakValueMapSettings<K> extends WeakCollectionSettings {
  readonly onCollect: ((key: K) => void) | undefined;
}

/** What the options of a SoftValueMap resolve to. */
export interface SoftValueMapSettings<K> extends WeakValueMapSettings<K> {
  readonly maxStrong: number;
}

const WEAK_VALUE_MAP: OptionTable<WeakValueMapSettings<unknown>> = {
  name: option(aName, 'weak-map'),
  onCollect: optional(aFunction),
};

const SOFT_VALUE_MAP: OptionTable<SoftValueMapSettings<unknown>> = {
  ...WEAK_VALUE_MAP,
  maxStrong: option(integer(0), 100),
};

/** Entries and options from the arguments of a constructor: `(options?)` or `(entries, options?)`. */
export interface CollectionArguments<E, O> {
  readonly entries: Iterable<E>;
  readonly options: O;
}

/**
 * Tells entries from options in the arguments of a constructor: entries can be iterated, and options cannot. `null` stands for no
 * entries.
 */
export function collectionArguments<E, O extends object>(
  first: Iterable<E> | O | null | undefined,
  second: O | undefined,
): CollectionArguments<E, O> {
  if (first === null || first === undefined) return { entries: [], options: second ?? ({} as O) };
  return typeof first === 'object' && Symbol.iterator in first
    ? { entries: first, options: second ?? ({} as O) }
    : { entries: [], options: first as O };
}

/**
 * Gives the pairs of a constructor's entries.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an entry that is no pair.
 */
export function* pairsOf<P extends readonly unknown[]>(
  where: string,
  entries: Iterable<P>,
): Generator<P, undefined, unknown> {
  for (const entry of entries) {
    checkArgument(where, 'entry', entry, aPair);
    yield entry;
  }
  return undefined;
}

const aPair: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'a pair [key, value]');

/** Gives the options of a weak map or set with their defaults. Throws {@link InvalidArgumentError} for a wrong one. */
export function resolveCollectionOptions(
  where: string,
  options: WeakCollectionOptions,
  kind: string,
): WeakCollectionSettings {
  return resolveOptions(where, options, { name: option(aName, kind) });
}

/** Gives the options of a WeakValueMap with their defaults. Throws {@link InvalidArgumentError} for a wrong one. */
export function resolveWeakValueMapOptions<K>(
  options: WeakValueMapOptions<K>,
): WeakValueMapSettings<K> {
  return resolveOptions('WeakValueMap', options, WEAK_VALUE_MAP);
}

/** Gives the options of a SoftValueMap with their defaults. Throws {@link InvalidArgumentError} for a wrong one. */
export function resolveSoftValueMapOptions<K>(
  options: SoftValueMapOptions<K>,
): SoftValueMapSettings<K> {
  return resolveOptions('SoftValueMap', options, SOFT_VALUE_MAP);
}
