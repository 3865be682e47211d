/** A wait for a result that has a time limit. */
import type { Clock, TimerHandle } from './clock.js';
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
    let timer!: TimerHandle; // A clock that throws sets none, and is asked to clear none.
    const settle =
      <V>(end: (value: V) => void) =>
      (value: V) => {
        clock.clearTimer(timer);
        end(value);
      };
    following(result).then(settle(resolve), settle(reject));
    timer = clock.setTimer(() => onLimit(resolve, reject), millis); // A clock that throws leaves no rejection of the result unhandled.
  });
}
