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
  /** Called when a test begins or ends to replace that function. */
  setterChanged?(): void;
}

const found = (builtinModule<Pick<typeof globalThis, 'setTimeout'>>('timers') ?? globalThis)
  .setTimeout;

/**
 * Node's own `setTimeout`, or that of the platform where there is no such module; for a delay of 0. Sinon and `node:test` replace both. If
 * they have done so before this module loads, a message takes its place: Sinon's has a `clock`, that of `node:test` is a bound function.
 */
export const hostSetTimeout: (callback: () => void, delayMillis: 0) => unknown =
  'clock' in found || found.name.startsWith('bound ') ? callByMessage : found;

function callByMessage(callback: () => void): unknown {
  const { port1, port2 } = new MessageChannel();
  Object.assign(port1, {
    onmessage() {
      port1.close();
      callback();
    },
  }); // The types of Node do not have it.
  port2.postMessage(0);
  return port1;
}

/** A timer that fires this much too early was moved by a test, in milliseconds. A platform's own is early by 1 ms at most. */
const FAKED_MILLIS = 50;

/**
 * Makes a clock of a platform's time and timers.
 *
 * Some fake timers move `setTimeout` on but not the time: Jest's legacy ones, and others by choice. A timer of theirs fires too early,
 * which moves the time of this clock on with it.
 *
 * Time does not go back when a test begins or ends to use fake timers, or sets the time. Timers that are left over never fire, so the
 * next use of this clock sets them again.
 */
export function clockOf(platform: PlatformTime): Clock {
  let moved = 0;
  let setter = platform.setter?.();
  const last = new Float64Array(1); // A reading in a variable would be an allocation.
  /** What sets the replaceable timers again that have not fired. */
  const replaceable = new Map<PlatformTimer, () => void>();
  const startAgain = (): void => {
    setter = platform.setter?.();
    platform.setterChanged?.();
    moved = 0;
    for (const setAgain of [...replaceable.values()]) setAgain();
  };
  const now = (): number => {
    if (platform.setter?.() !== setter) startAgain();
    const time = platform.now() + moved;
    if (time >= (last[0] as number)) last[0] = time;
    else moved += (last[0] as number) - time;
    return last[0] as number;
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

/** How far `Date.now` is ahead of `performance.now`, if a test moves the first alone; else `undefined`. */
let dateLead = /* @__PURE__ */ leadOfFakeDate();

/** The platform's monotonic clock and timers. They are looked up at each call, so that the fake timers of a test apply. */
export const systemClock: Clock = /* @__PURE__ */ clockOf({
  now: () => (dateLead === undefined ? performance.now() : Date.now() - dateLead),
  setTimeout: (callback, delayMillis) => setTimeout(callback, delayMillis),
  clearTimeout: (handle) => clearTimeout(handle),
  setter: () => setTimeout,
  setterChanged: () => {
    dateLead = leadOfFakeDate();
  },
});

/** The fake timers of `node:test` and Vitest 2 replace `Date`, and leave `performance.now` alone. */
function leadOfFakeDate(): number | undefined {
  const isFake =
    setTimeout !== hostSetTimeout &&
    !Object.hasOwn(performance, 'now') &&
    !String(Date.now).includes('[native code]');
  return isFake ? Date.now() - performance.now() : undefined;
}
