/**
 * Reads the clock for the starts and the ends of loans. A reading of the platform's clock takes as long as half a loan, so a burst
 * of loans shares one.
 *
 * ```
 *   16 uses within 0.1 ms ──▶ the next 16 uses take the last reading, unless the turn of the event loop ends before
 * ```
 */
import { type Clock, systemClock } from '../core/clock.js';

/** How many uses make a burst, and how many of the next ones share a reading. */
const USES = 16;

/** The longest time of {@link USES} in a burst, in milliseconds. */
const BURST_MILLIS = 0.1;

/** How long the timer for the end of the turn may take, in milliseconds, before it counts as lost. */
const LOST_MILLIS = 1_000;

export class LoanClock {
  readonly #clock: Clock;
  readonly #endTurn: () => void;
  #time = 0;
  /** How many uses may take {@link #time}. */
  #usesLeft = 0;
  /** How many uses have read the clock since {@link #burstBegan}. */
  #readings = 0;
  #burstBegan = 0;
  /** When the timer for the end of the turn was set; -Infinity if none is. */
  #timerSetAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#endTurn = () => {
      this.#usesLeft = 0;
      this.#timerSetAt = Number.NEGATIVE_INFINITY;
    };
  }

  /** Gives the time in whole milliseconds. In a burst it is up to {@link USES} uses old, and of the same turn. */
  now(): number {
    if (this.#usesLeft === 0) return this.#read();
    this.#usesLeft--;
    return this.#time;
  }

  #read(): number {
    const now = this.#clock.now();
    this.#time = Math.floor(now);
    if (this.#clock !== systemClock) return this.#time; // A test moves its clock between two loans.
    if (now - this.#burstBegan > BURST_MILLIS) {
      this.#burstBegan = now;
      this.#readings = 0;
    } else if (++this.#readings >= USES) this.#share(now);
    return this.#time;
  }

  #share(now: number): void {
    this.#burstBegan = now;
    this.#usesLeft = USES;
    if (now - this.#timerSetAt < LOST_MILLIS) return;
    this.#timerSetAt = now;
    this.#clock.setTimer(this.#endTurn, 1, { background: true });
  }
}
