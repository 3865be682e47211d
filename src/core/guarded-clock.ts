/**
 * Guards around a user's clock. A clock that throws in the middle of a release or of a timer's callback would end the work that is under
 * way, and a time that is no number would set a deadline that never comes.
 *
 * | guard | `now()` | `setTimer()` | for |
 * |---|---|---|---|
 * | `steadyClock` | guarded | throws what the clock throws | timers of one caller, which is told |
 * | `guardedClock` | guarded | guarded | timers that serve no single caller: sweeps, retries, limits of work that goes on |
 */
import { cancelTimer } from './cancel-timer.js';
import { type Clock, systemClock, type TimerHandle } from './clock.js';
import { guardedCall } from './guarded-call.js';
import { reportIgnoredError } from './ignored-error.js';

/** A timer of the user's clock, or of the system's if that has thrown. */
interface GuardedTimer {
  clock: Clock;
  handle: TimerHandle | undefined;
  /** Whether it has fired or was cancelled. A clock that throws may call back all the same. */
  isOver: boolean;
}

/**
 * Gives a clock whose time is always a number and never goes back. A time that `clock` cannot tell is the last one that it told, and the
 * first failure in a row is printed. After a time that goes back, time goes on from the last one.
 */
export function steadyClock(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  let last = 0;
  let lead = 0;
  let isFailing = false;
  return {
    now() {
      try {
        const told = timeOf(clock);
        if (told + lead < last) lead = last - told;
        last = told + lead;
        isFailing = false;
      } catch (error) {
        if (!isFailing) reportIgnoredError('`clock`', error);
        isFailing = true;
      }
      return last;
    },
    setTimer: (callback, delayMillis, options) => clock.setTimer(callback, delayMillis, options),
    clearTimer: (timer) => clock.clearTimer(timer),
  };
}

function timeOf(clock: Clock): number {
  const time: unknown = clock.now();
  if (Number.isFinite(time)) return time as number;
  void guardedCall('`clock`', () => time); // A promise that rejects must not end the process.
  throw new TypeError('`now()` must give milliseconds as a finite number.');
}

/**
 * Gives a clock that never throws, with the time of {@link steadyClock}. What `clock` throws is printed. A timer that it cannot set is one
 * of the system.
 */
export function guardedClock(clock: Clock): Clock {
  if (clock === systemClock) return clock;
  return {
    now: steadyClock(clock).now,
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
