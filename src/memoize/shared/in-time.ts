/** A limited wait for an outside system. */
import type { Clock, TimerHandle } from '../../core/clock.js';

/** What becomes of a limited wait. */
export interface WaitOutcomes {
  /** Gives the error with which the wait ends if no answer comes in time. */
  readonly onLate: () => Error;
  /** Called if the request succeeds in time. */
  readonly onAnswer?: () => void;
  /** Called if half of the time is over without an answer. It is given the other half, in milliseconds. */
  readonly onSlow?: (millisLeft: number) => void;
}

/** Makes a request, and waits at most `millis` for its answer. Then rejects with what `onLate` returns. */
export function inTime<T>(
  clock: Clock,
  request: () => PromiseLike<T> | T,
  millis: number,
  { onLate, onAnswer, onSlow }: WaitOutcomes,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: TimerHandle | undefined;
    let hasGivenUp = false;
    const giveUp = (): void => {
      hasGivenUp = true;
      reject(onLate());
    };
    // If the event loop was busy, the answer is there already. One more turn lets it be read.
    const late = (): void => {
      timer = clock.setTimer(giveUp, 0);
    };
    const slow = (): void => {
      timer = clock.setTimer(late, millis / 2);
      onSlow?.(millis / 2);
    };
    const answer = request();
    if (millis !== Number.POSITIVE_INFINITY) {
      timer =
        onSlow === undefined ? clock.setTimer(late, millis) : clock.setTimer(slow, millis / 2);
    }
    const stopTimer = (): void => {
      if (timer !== undefined) clock.clearTimer(timer);
    };
    Promise.resolve(answer).then(
      (value) => {
        stopTimer();
        if (!hasGivenUp) onAnswer?.();
        resolve(value);
      },
      (error: unknown) => {
        stopTimer();
        reject(error);
      },
    );
  });
}
