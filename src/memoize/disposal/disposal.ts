/** The value for the option `dispose`. */
import { aFunction, checkArgument } from '../../core/options.js';
import type { Disposal, DisposeCallback } from '../disposal-port.js';
import { DisposalTracker } from './disposal-tracker.js';

/**
 * Makes a cache dispose of its results: give it to the option `dispose`. A result is disposed of once, even if several entries
 * held it: after they have left the cache and every `lease` on the result was released. A result that the cache did not keep is
 * disposed of with its last lease.
 *
 * Without an argument, the result's own `[Symbol.dispose]` or `[Symbol.asyncDispose]` is called, if it has one.
 *
 * `onDispose` is called for every result, with the key and the cause. The key is the argument list, or the key that the option
 * `key` made of it; `undefined` if an object in it was collected. An error of a disposal goes to the option `onError`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an `onDispose` that is no function.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { disposal } from 'tenure/memoize/disposal';
 *
 * const closed: string[] = [];
 * const open = memoize((path: string) => ({ path }), {
 *   max: 1,
 *   dispose: disposal((file) => void closed.push(file.path)),
 * });
 * const lease = open.lease('a.txt');
 * open('b.txt');
 * closed; // => []
 * lease.release();
 * closed; // => ['a.txt']
 * ```
 */
export function disposal<V, K>(onDispose?: DisposeCallback<V, K>): Disposal<V, K> {
  if (onDispose !== undefined) checkArgument('disposal', 'onDispose', onDispose, aFunction);
  return {
    onDispose,
    attach: (cache, counters) =>
      new DisposalTracker(onDispose as DisposeCallback<unknown, unknown>, cache, counters),
  };
}
