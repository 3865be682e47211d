/** A limited wait for an outside system. */

import type { Clock, TimerHandle } from '../../core/clock.js';
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

/** Makes a request, and waits at most `millis` for its answer. Then rejects with what `onLate` returns. */
export function inTime<T>(
  clock: Clock,
  request: () => PromiseLike<T> | T,
  millis: number,
  outcomes: WaitOutcomes<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let timer: TimerHandle | undefined;
    let stage: 'first half' | 'second half' | 'one more turn' | 'over' =
      outcomes.onSlow === undefined ? 'second half' : 'first half';
    const next = (): void => {
      if (stage === 'first half') {
        stage = 'second half';
        timer = clock.setTimer(next, millis / 2);
        outcomes.onSlow?.(millis / 2);
      } else if (stage === 'second half') {
        // If the event loop was busy, the answer is there already. One more turn lets it be read.
        stage = 'one more turn';
        timer = clock.setTimer(next, 0);
      } else {
        stage = 'over';
        reject(outcomes.onLate());
      }
    };
    const answer = request();
    if (millis !== Number.POSITIVE_INFINITY) {
      timer = clock.setTimer(next, stage === 'first half' ? millis / 2 : millis);
    }
    void onceSettled(
      answer,
      (value) => {
        if (timer !== undefined) clock.clearTimer(timer);
        if (stage === 'over' || outcomes.onAnswer === undefined) return resolve(value);
        try {
          resolve(outcomes.onAnswer(value));
        } catch (error) {
          reject(error);
        }
      },
      (error: unknown) => {
        if (timer !== undefined) clock.clearTimer(timer);
        reject(error);
      },
    );
  });
}
