/**
 * A user's clock for a component whose timers serve no single caller: sweeps, retries, heartbeats. There a clock that throws would end
 * the work that the timer is for, in the middle of a release or of a timer's callback.
 */
import { cancelTimer } from './cancel-timer.js';
import { type Clock, systemClock, type TimerHandle } from './clock.js';
import { guardedCall } from './guarded-call.js';

/** A timer of the user's clock, or of the system's if that has thrown. */
interface GuardedTimer {
  clock: Clock;
  handle: TimerHandle | undefined;
  /** Whether it has fired or was cancelled. A clock that throws may call back all the same. */
  isOver: boolean;
}

/**
 * Gives a clock that never throws. What `clock` throws is printed. A timer that it cannot set is one of the system; a time that it cannot
 * tell is the last one that it told.
 */
export function guardedClock(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  let lastNow = 0;
  return {
    now() {
      lastNow = guardedCall('`clock`', () => clock.now()) ?? lastNow;
      return lastNow;
    },
    setTimer(callback, delayMillis, options) {
      const timer: GuardedTimer = { clock, handle: undefined, isOver: false };
      const fire = (): void => {
        if (timer.isOver) return;
        timer.isOver = true;
        callback();
      };
      const set = (): TimerHandle => timer.clock.setTimer(fire, delayMillis, options);
      timer.handle = guardedCall('`clock`', set);
      if (timer.handle === undefined) {
        timer.clock = systemClock;
        timer.handle = set();
      }
      return timer;
    },
    clearTimer(handle) {
      const timer = handle as GuardedTimer;
      timer.isOver = true;
      cancelTimer(timer.clock, timer.handle);
    },
  };
}
