/** A wait for a result that has a time limit. */
import type { Clock } from './clock.js';
import { startLimit } from './limit-timer.js';
import { following } from './thenable.js';

/**
 * Follows `result`. Calls `onLimit` if it has not settled within `millis`, and then follows it on, unless `onLimit` has settled the
 * promise in its place.
 */
export function settledBefore<T>(
  clock: Clock,
  millis: number,
  result: PromiseLike<T>,
  onLimit: (resolve: (value: T | PromiseLike<T>) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let cancel: (() => void) | undefined;
    const settle =
      <V>(end: (value: V) => void) =>
      (value: V) => {
        cancel?.();
        end(value);
      };
    following(result).then(settle(resolve), settle(reject));
    cancel = startLimit(clock, millis, () => onLimit(resolve, reject)); // If the clock throws, no rejection of the result is unhandled.
  });
}
