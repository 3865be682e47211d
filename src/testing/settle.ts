/** Waits for the promise jobs of a test, under fake timers too. */
import { builtinModule } from '../core/host.js';
import { realClock } from './real-clock.js';

interface Timers {
  setImmediate(callback: () => void): unknown;
}

const immediate = builtinModule<Timers>('timers')?.setImmediate;

/**
 * Resolves when all promise jobs have run that need no timer, no I/O and no further turn of the event loop.
 *
 * @example
 * ```ts
 * import { settle } from 'tenure/testing';
 *
 * let done = false;
 * void Promise.resolve().then(() => {
 *   done = true;
 * });
 * await settle();
 * done; // => true
 * ```
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate === undefined) realClock.setTimer(resolve, 0);
    else immediate(resolve);
  });
}
