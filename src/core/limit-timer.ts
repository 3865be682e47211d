/** The timer of a wait that has a time limit. */
import { cancelTimer } from './cancel-timer.js';
import type { Clock, TimerHandle } from './clock.js';
import { guardedCall } from './guarded-call.js';

/**
 * Calls `onLimit` when a time limit is over. Gives what cancels it. If the event loop was blocked, timers fire before the answers that
 * have arrived meanwhile are read. So the limit ends one turn later. Throws what the clock throws.
 */
export function startLimit(clock: Clock, millis: number, onLimit: () => void): () => void {
  let isOver = false; // A clock may call back although it was told not to.
  const end = (): void => {
    if (!isOver) onLimit();
  };
  const waitOneTurn = (): void => {
    timer = guardedCall('`clock`', () => clock.setTimer(end, 0));
    if (timer === undefined) end();
  };
  let timer: TimerHandle | undefined = clock.setTimer(waitOneTurn, millis);
  return () => {
    isOver = true;
    cancelTimer(clock, timer);
  };
}
