/**
 * The time, read once for all that happens in one run of microtasks: reading the platform's clock costs as much as the
 * rest of a wait. No timer can fire within such a run, so nobody whose wait ends by one can tell the difference, unless
 * the run itself is long; then the time given is that of its beginning.
 */
import type { Clock } from '../core/clock.js';

const DONE: Promise<void> = Promise.resolve();

/** A clock that stands still until the microtasks that are due have run. */
export class TurnClock {
  readonly #clock: Clock;
  readonly #endTurn: () => void;
  #isRunning = false;
  #time = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endTurn = () => {
      this.#isRunning = false;
    };
  }

  /** Milliseconds on the clock's scale, rounded up. */
  now(): number {
    if (!this.#isRunning) {
      this.#isRunning = true;
      this.#time = Math.ceil(this.#clock.now());
      void DONE.then(this.#endTurn);
    }
    return this.#time;
  }
}
