/** A limited wait for an outside system. */
import type { Clock, TimerHandle } from '../../core/clock.js';

/**
 * Makes a request, and waits at most `millis` for its answer. Then rejects with what `onLate` returns. `onAnswer` is called if the
 * request succeeds in time.
 */
export function inTime<T>(
  clock: Clock,
  request: () => PromiseLike<T> | T,
  millis: number,
  onLate: () => Error,
  onAnswer: () => void = () => {},
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
    const answer = request();
    if (millis !== Number.POSITIVE_INFINITY) timer = clock.setTimer(late, millis);
    const stopTimer = (): void => {
      if (timer !== undefined) clock.clearTimer(timer);
    };
    Promise.resolve(answer).then(
      (value) => {
        stopTimer();
        if (!hasGivenUp) onAnswer();
        resolve(value);
      },
      (error: unknown) => {
        stopTimer();
        reject(error);
      },
    );
  });
}
