/**
 * The time of a watchdog. With the platform's clock, it is without the time in which the process did not run: it was frozen with its
 * container, stopped by a debugger, or its event loop was blocked. What was out meanwhile could not come back, so that time must make no
 * loan old. A user's own clock says itself how much time has passed. Long work does not pause between its steps on such a clock: what a
 * test finds must not depend on the speed of the machine.
 *
 * ```
 *   reading ──interval──▶ reading ──interval──▶ ·············· reading      the sweep reads the clock at each interval
 *                                             due ──not counted──▲
 * ```
 */
import { captureAsyncContext } from '../core/async-context.js';
import type { Clock, TimerHandle } from '../core/clock.js';
import { hasTimeLeft } from '../core/slices.js';

/** A reading that is later by this is one after a stop, in milliseconds. A busy event loop is late by less. */
const STOPPED_MILLIS = 5_000;

/** How long a step of the simulated heap's work may take, in milliseconds. */
const STEP_MILLIS = 1;

export class RunningClock implements Clock {
  /** Whether it is the platform's time, which no test moves. */
  readonly isReal: boolean;
  readonly #clock: Clock;
  /** Timers that set the next one must not hold the context of the request in which the first was set. */
  readonly #runInContext = captureAsyncContext();
  #stoppedMillis = 0;
  #intervalMillis = Number.POSITIVE_INFINITY;
  /** When the next reading is due, on the clock underneath. */
  #due = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, isReal: boolean) {
    this.#clock = clock;
    this.isReal = isReal;
  }

  /** Says that it is read every `millis` from the next reading on; `Infinity` for no more. Without effect on a user's own clock. */
  readEvery(millis: number): void {
    if (!this.isReal) return;
    this.#intervalMillis = millis;
    if (millis === Number.POSITIVE_INFINITY) this.#due = millis;
  }

  /** How long a step of the simulated heap's work may take, in milliseconds of the platform. `Infinity` on a user's own clock. */
  get stepMillis(): number {
    return this.isReal ? STEP_MILLIS : Number.POSITIVE_INFINITY;
  }

  /** Whether the slice of the current turn has time for a task. Always true on a user's own clock. O(1). */
  hasTimeLeft(): boolean {
    return !this.isReal || hasTimeLeft();
  }

  now(): number {
    const now = this.#clock.now();
    const lateMillis = now - this.#due;
    if (lateMillis > STOPPED_MILLIS) this.#stoppedMillis += lateMillis;
    this.#due = now + this.#intervalMillis;
    return now - this.#stoppedMillis;
  }

  setTimer(
    callback: () => void,
    delayMillis: number,
    options?: { readonly background?: boolean },
  ): TimerHandle {
    return this.#runInContext(() => this.#clock.setTimer(callback, delayMillis, options));
  }

  clearTimer(timer: TimerHandle): void {
    this.#clock.clearTimer(timer);
  }
}
