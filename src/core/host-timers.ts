/**
 * Node's own timers rather than the global ones, taken when the module loads. A test environment replaces the global ones and clears
 * them after each test; work of ours must not end with them.
 */
import {
  type Clock,
  hostSetTimeout,
  type PlatformTimer,
  systemClock,
  type TimerHandle,
} from './clock.js';

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    hostSetTimeout(resolve, 0);
  });
}

/**
 * Has a timer keep the process alive, or not. Gives whether it could: only Node's own timers change it, and only they are safe from
 * the fake timers of a test.
 */
export function keepProcessAlive(clock: Clock, timer: TimerHandle, keeps: boolean): boolean {
  if (clock !== systemClock || globalThis.setTimeout !== hostSetTimeout) return false;
  const { handle } = timer as PlatformTimer;
  if (typeof handle !== 'object' || handle.ref === undefined || handle.unref === undefined)
    return false;
  if (keeps) handle.ref();
  else handle.unref();
  return true;
}
