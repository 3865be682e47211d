import type { Clock, TimerHandle } from './clock.js';
import { guardedCall } from './guarded-call.js';

/** Cancels a timer, if there is one. What a user's clock throws is printed: the work that needs the timer no longer goes on. */
export function cancelTimer(
  clock: Pick<Clock, 'clearTimer'>,
  timer: TimerHandle | null | undefined,
): void {
  if (timer !== undefined && timer !== null) guardedCall('`clock`', () => clock.clearTimer(timer));
}
