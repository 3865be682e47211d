/** A limited wait for an outside system. */
import type { Clock, TimerHandle } from '../../core/clock.js';

/** Makes a request, and waits at most `millis` for its answer. Then rejects with what `onLate` returns. */
export function inTime<T>(
  clock: Clock,
  request: () => PromiseLike<T> | T,
  millis: number,
  onLate: () => Error,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: TimerHandle | undefined;
    const giveUp = (): void => reject(onLate());
    // If the event loop was busy, the answer is there already. One more turn lets it be read.
    const late = (): void => {
      timer = clock.setTimer(giveUp, 0);
    };
    if (millis !== Number.POSITIVE_INFINITY) timer = clock.setTimer(late, millis);
    const stopTimer = (): void => {
      if (timer !== undefined) clock.clearTimer(timer);
    };
    new Promise<T>((answer) => answer(request())).then(
      (value) => {
        stopTimer();
        resolve(value);
      },
      (error: unknown) => {
        stopTimer();
        reject(error);
      },
    );
  });
}
