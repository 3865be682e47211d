/** The options of a WeakValueMap. */
import {
  aFunction,
  aName,
  type OptionTable,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';

/** Options of a {@link WeakValueMap}. */
export interface WeakValueMapOptions<K> {
  /**
   * The name of the map in reports and errors.
   *
   * @default 'weak-map'
   */
  readonly name?: string;
  /**
   * Called with a key some turns after its value was collected, when the entry has left the map. It is not called for an
   * entry that was deleted or replaced. An error that it throws is printed with `console.error`.
   *
   * @default none
   */
  readonly onCollect?: (key: K) => void;
}

/** What the options of a map resolve to. */
export interface WeakValueMapSettings<K> {
  readonly name: string;
  readonly onCollect: ((key: K) => void) | undefined;
}

const OPTIONS: OptionTable<WeakValueMapSettings<unknown>> = {
  name: option(aName, 'weak-map'),
  onCollect: optional(aFunction),
};

/**
 * Gives the options of a map with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveWeakValueMapOptions<K>(
  options: WeakValueMapOptions<K>,
): WeakValueMapSettings<K> {
  return resolveOptions('WeakValueMap', options, OPTIONS);
}
