/**
 * Waits for conditions of a component, each with a time limit: the grace. A wait ends when its condition holds or when its
 * grace is over. The conditions are checked when the component says that its state has changed.
 */
import type { Clock } from './clock.js';
import { startLimit } from './limit-timer.js';

interface Wait {
  readonly isMet: () => boolean;
  readonly end: (met: boolean) => void;
}

/** The waits of one component. */
export class ConditionWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();

  /** `clock` sets the timers of the graces. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Ends the waits whose condition holds. Call it after each change that a condition may depend on. O(waits). */
  check(): void {
    for (const wait of this.#waits) if (wait.isMet()) wait.end(true);
  }

  /** Resolves to true as soon as `isMet` holds, and to false when `graceMillis` are over first. A grace of 0 does not wait. */
  until(isMet: () => boolean, graceMillis: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    if (isMet()) return Promise.resolve(true);
    if (graceMillis === 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      let cancel: (() => void) | undefined;
      const end = (met: boolean): void => {
        this.#waits.delete(wait);
        cancel?.();
        resolve(met);
      };
      const wait: Wait = { isMet, end };
      if (graceMillis !== Number.POSITIVE_INFINITY) {
        cancel = startLimit(this.#clock, graceMillis, () => end(false));
      }
      this.#waits.add(wait);
    });
  }
}
