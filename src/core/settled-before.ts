/** A wait for a result that has a time limit. */
import { cancelTimer } from './cancel-timer.js';
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
    let timer: TimerHandle | undefined;
    let isSettled = false;
    const settle =
      <V>(end: (value: V) => void) =>
      (value: V) => {
        isSettled = true;
        cancelTimer(clock, timer);
        end(value);
      };
    following(result).then(settle(resolve), settle(reject));
    // A clock that throws leaves no rejection of the result unhandled, and may call back although it was told not to.
    timer = clock.setTimer(() => {
      if (!isSettled) onLimit(resolve, reject);
    }, millis);
  });
}
