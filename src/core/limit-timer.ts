/** The timer of a wait that has a time limit. */
import { cancelTimer } from './cancel-timer.js';
import type { Clock, TimerHandle } from './clock.js';
import { guardedCall } from './guarded-call.js';
import { graceAfter } from './stall.js';

/**
 * Calls `onLimit` when a time limit is over. Gives what cancels it. The limit ends one turn later than its timer, or after the grace
 * of a stall, because timers fire before answers that have arrived are read. Throws what the clock throws.
 */
export function startLimit(
  clock: Clock,
  millis: number,
  onLimit: () => void,
  options?: { readonly background?: boolean },
): () => void {
  const due = clock.now() + millis;
  let isOver = false; // A clock may call back although it was told not to.
  const end = (): void => {
    if (!isOver) onLimit();
  };
  const waitOnce = (): void => {
    timer = guardedCall('`clock`', () =>
      clock.setTimer(end, graceAfter(clock.now() - due, millis), options),
    );
    if (timer === undefined) end();
  };
  let timer: TimerHandle | undefined = clock.setTimer(waitOnce, millis, options);
  return () => {
    isOver = true;
    cancelTimer(clock, timer);
  };
}
