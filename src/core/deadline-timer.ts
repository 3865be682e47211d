/**
 * One timer for all deadlines of a component. It is set for the next deadline, and the component looks for the one after it when it
 * fires.
 *
 * When the event loop was blocked, timers fire before the answers that have arrived meanwhile are read. So a timer that fires late
 * gives all waits a short grace before they end.
 */
import type { RunInContext } from './async-context.js';
import type { Clock, TimerHandle } from './clock.js';

/** A timer that fires this much too late shows that the event loop was blocked, in milliseconds. */
export const STALL_MILLIS = 50;

/** The grace of all waits after a blocked event loop, in milliseconds. */
const GRACE_MILLIS = 10;

/** Told when a deadline is over. `stalledMillis` is how long the event loop was blocked, 0 if it was not. */
export type OnDue = (now: number, stalledMillis: number) => void;

/** The timer of one component. */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #runInContext: RunInContext;
  readonly #onDue: OnDue;
  #timer: TimerHandle | undefined = undefined;
  #deadline = Number.POSITIVE_INFINITY;
  /** How long the event loop was blocked when the timer fired last, in milliseconds; 0 if it was not. */
  #stalledMillis = 0;

  /** The timer is set in the context of `runInContext`, not in that of the request that happens to set it. */
  constructor(clock: Clock, runInContext: RunInContext, onDue: OnDue) {
    this.#clock = clock;
    this.#runInContext = runInContext;
    this.#onDue = onDue;
  }

  /** Has the timer fire at `deadline` at the latest. Throws what the clock throws. O(1). */
  expect(deadline: number): void {
    if (deadline < this.#deadline) this.#set(deadline);
  }

  /** No deadline is left. */
  clear(): void {
    this.#stalledMillis = 0;
    this.#cancel();
  }

  #set(deadline: number): void {
    this.#cancel();
    const clock = this.#clock;
    this.#timer = this.#runInContext(() =>
      clock.setTimer(() => this.#fired(), Math.max(0, deadline - clock.now())),
    );
    this.#deadline = deadline; // Not before: a clock that throws has set no timer for it.
  }

  #cancel(): void {
    if (this.#timer === undefined) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #fired(): void {
    this.#timer = undefined;
    const now = this.#clock.now();
    const lateness = now - this.#deadline;
    this.#deadline = Number.POSITIVE_INFINITY;
    if (lateness > STALL_MILLIS && this.#stalledMillis === 0) {
      this.#stalledMillis = lateness;
      this.#set(now + GRACE_MILLIS);
      return;
    }
    const stalledMillis = this.#stalledMillis;
    this.#stalledMillis = 0;
    this.#onDue(now, stalledMillis);
  }
}
