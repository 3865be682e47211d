/** The limits of the wait for asynchronous loads: the option `loadTimeoutMillis`. */
import type { Clock } from '../../core/clock.js';
import { settledBefore } from '../../core/settled-before.js';
import { onceSettled } from '../../core/thenable.js';
import type { MemoizeSettings } from '../memoize-options.js';
import type { Load } from './load.js';
import { LoadTimeoutError } from './load-timeout-error.js';

/** Follows the result of a load until its hard limit, and then rejects and aborts the load. `onLate` gets a result that comes later. */
export function untilHardLimit(
  load: Load,
  result: PromiseLike<unknown>,
  { loadTimeouts, clock, name }: MemoizeSettings,
  onLate: (value: unknown) => void,
): PromiseLike<unknown> {
  const hard = loadTimeouts?.hard ?? Infinity;
  if (hard === Infinity) return result;
  const promise = Promise.resolve(result); // A thenable may do its work at each call of `then`.
  return settledBefore(clock as Clock, hard, promise, (_, reject) => {
    const error = new LoadTimeoutError(name, hard);
    reject(error);
    void onceSettled(promise, onLate, () => {});
    load.abort(error);
  });
}

/** Follows the result of a load for its callers. `onSoftLimit` may give them another one at the soft limit. */
export function untilSoftLimit(
  soft: number,
  { clock }: MemoizeSettings,
  result: PromiseLike<unknown>,
  onSoftLimit: (resolve: (value: unknown) => void) => void,
): Promise<unknown> {
  return settledBefore(clock as Clock, soft, result, onSoftLimit);
}
