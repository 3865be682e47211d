/** A limited wait for an outside system. */

import { cancelTimer } from '../../core/cancel-timer.js';
import type { Clock } from '../../core/clock.js';
import { startLimit } from '../../core/limit-timer.js';
import { onceSettled } from '../../core/thenable.js';

/** What becomes of a limited wait. */
export interface WaitOutcomes<T> {
  /** Gives the error with which the wait ends if no answer comes in time. */
  onLate(): Error;
  /** Called if the request succeeds, unless the wait is over. What it gives is the result of the wait; it may throw. */
  onAnswer?(answer: T): T;
  /** Called if half of the time is over without an answer. It is given the other half, in milliseconds. */
  onSlow?(millisLeft: number): void;
}

/** What is told of an answer, until the wait is over. */
interface Follower<T> {
  onValue: ((value: T) => void) | undefined;
  onError: ((error: unknown) => void) | undefined;
}

/** Makes a request, and waits at most `millis` for its answer. Then rejects with what `onLate` returns. */
export function inTime<T>(
  clock: Clock,
  request: () => PromiseLike<T> | T,
  millis: number,
  outcomes: WaitOutcomes<T>,
): Promise<T> {
  const { onLate, onAnswer, onSlow } = outcomes;
  return new Promise((resolve, reject) => {
    let cancel = (): void => {};
    const startLast = (millisLeft: number): void => {
      cancel = startLimit(clock, millisLeft, () => {
        follower.onValue = follower.onError = undefined;
        reject(onLate());
      });
    };
    const follower: Follower<T> = {
      onValue(value) {
        cancel();
        if (onAnswer === undefined) return resolve(value);
        try {
          resolve(onAnswer(value));
        } catch (error) {
          reject(error);
        }
      },
      onError(error) {
        cancel();
        reject(error);
      },
    };
    const answer = request();
    if (millis !== Number.POSITIVE_INFINITY) {
      if (onSlow === undefined) startLast(millis);
      else {
        const half = millis / 2;
        const timer = clock.setTimer(() => {
          startLast(half);
          onSlow(half);
        }, half);
        cancel = () => cancelTimer(clock, timer);
      }
    }
    follow(answer, follower);
  });
}

/** Nothing else of the wait is reachable from an answer, so a request that is never answered does not keep what its call has used. */
function follow<T>(answer: PromiseLike<T> | T, follower: Follower<T>): void {
  void onceSettled(
    answer as PromiseLike<T>,
    (value) => follower.onValue?.(value as T),
    (error: unknown) => follower.onError?.(error),
  );
}
