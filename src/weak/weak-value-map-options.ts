/**
 * The options of a WeakValueMap.
 */
import { aFunction, aName, checkOptions, type OptionChecks } from '../core/options.js';

/** How a {@link WeakValueMap} is to behave. */
export interface WeakValueMapOptions<K> {
  /**
   * What reports and errors call the map.
   *
   * @defaultValue `'weak-map'`
   */
  readonly name?: string;
  /**
   * Called with the key some turns after its value has been collected, when the entry is gone from the map; not for
   * an entry that was deleted or replaced. What it throws is printed with `console.error`.
   *
   * @defaultValue nothing
   */
  readonly onCollect?: (key: K) => void;
}

const checks: OptionChecks<WeakValueMapOptions<unknown>> = { name: aName, onCollect: aFunction };

/** Throws unless `options` are well-formed. */
export function checkWeakValueMapOptions(options: unknown): void {
  checkOptions('WeakValueMap', options, checks);
}
