/** Injected time. A component that waits or expires takes a `Clock`, so that a test moves time by hand and never sleeps. */
import { builtinModule } from './host.js';

/** A timer that a {@link Clock} has set. Pass it to {@link Clock.clearTimer}. */
export type TimerHandle = NonNullable<unknown>;

/** A source of time and timers. */
export interface Clock {
  /** Gives milliseconds on a monotonic scale. Only differences between two readings have a meaning. */
  now(): number;
  /**
   * Calls `callback` once, `delayMillis` from now. A delay beyond 2^31 − 1 ms is not shortened. A `background` timer does not
   * keep the process alive.
   */
  setTimer(
    callback: () => void,
    delayMillis: number,
    options?: { readonly background?: boolean },
  ): TimerHandle;
  /** Cancels a timer. Without effect if it has fired or was cancelled. */
  clearTimer(timer: TimerHandle): void;
}

/** The longest delay of platform timers, in milliseconds. A timer with a longer one would fire after 1 ms. */
const LONGEST_PLATFORM_DELAY = 2 ** 31 - 1;

/** The platform's handle: a number in browsers, an object with `unref` on Node, Bun and Deno. */
export type PlatformHandle = number | { ref?(): unknown; unref?(): unknown };

/** A timer of {@link systemClock}. */
export interface PlatformTimer {
  handle: PlatformHandle;
}

/** The platform's time and timers. */
export interface PlatformTime {
  /** Gives milliseconds on a monotonic scale. */
  now(): number;
  /** Calls `callback` after a delay of at most 2^31 − 1 ms. */
  setTimeout(callback: () => void, delayMillis: number): PlatformHandle;
  /** Cancels a timer. */
  clearTimeout(handle: number): void;
  /** Gives the function that sets timers at present, if a test may replace it. */
  setter?(): unknown;
}

/** Node's own `setTimeout`, which no fake timers replace; that of the platform where there is no such module. */
export const hostSetTimeout: typeof globalThis.setTimeout = (
  builtinModule<Pick<typeof globalThis, 'setTimeout'>>('timers') ?? globalThis
).setTimeout;

/** A timer that fires this much too early was moved by a test, in milliseconds. A platform's own is early by 1 ms at most. */
const FAKED_MILLIS = 50;

/**
 * Makes a clock of a platform's time and timers.
 *
 * Some fake timers move `setTimeout` on but not the time: those of `node:test`, Jest's legacy ones, and others by choice. A timer of
 * theirs fires too early, which moves the time of this clock on with it.
 *
 * Time does not go back when a test begins or ends to use fake timers. Those that are left over never fire, so the next use of this clock
 * sets them again.
 */
export function clockOf(platform: PlatformTime): Clock {
  let moved = 0;
  let setter = platform.setter?.();
  const last = new Float64Array(1); // A reading in a variable would be an allocation.
  /** What sets the replaceable timers again that have not fired. */
  const replaceable = new Map<PlatformTimer, () => void>();
  const startAgain = (): void => {
    setter = platform.setter?.();
    moved = Math.max(0, (last[0] as number) - platform.now());
    for (const setAgain of [...replaceable.values()]) setAgain();
  };
  const now = (): number => {
    if (platform.setter?.() !== setter) startAgain();
    const time = platform.now() + moved;
    last[0] = time;
    return time;
  };
  return {
    now,
    setTimer(callback, delayMillis, options) {
      const deadline = now() + delayMillis;
      const arm = (remaining: number): void => {
        const delay = Math.min(Math.max(0, remaining), LONGEST_PLATFORM_DELAY);
        const due = now() + delay;
        const handle = platform.setTimeout(() => {
          if (timer.handle !== handle) return; // It was set again.
          replaceable.delete(timer);
          const early = due - now();
          if (early > (moved === 0 ? FAKED_MILLIS : 0)) moved += early;
          if (delay < remaining) arm(deadline - now());
          else callback();
        }, delay);
        if (options?.background === true && typeof handle === 'object') handle.unref?.();
        timer.handle = handle;
        if (setter === undefined || setter === hostSetTimeout) replaceable.delete(timer);
        else replaceable.set(timer, () => arm(deadline - now()));
      };
      const timer: PlatformTimer = { handle: 0 };
      arm(delayMillis);
      return timer;
    },
    clearTimer(timer) {
      replaceable.delete(timer as PlatformTimer);
      platform.clearTimeout((timer as PlatformTimer).handle as number);
    },
  };
}

/** The platform's monotonic clock and timers. They are looked up at each call, so that the fake timers of a test apply. */
export const systemClock: Clock = /* @__PURE__ */ clockOf({
  now: () => performance.now(),
  setTimeout: (callback, delayMillis) => setTimeout(callback, delayMillis),
  clearTimeout: (handle) => clearTimeout(handle),
  setter: () => setTimeout,
});
