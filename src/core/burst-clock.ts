/**
 * Reads the clock for the starts and the ends of loans and scopes. A reading of the platform's clock takes as long as half a loan, so a
 * burst of uses shares one.
 *
 * ```
 *   16 uses within 0.1 ms ──▶ the next 64 uses take the last reading, unless the turn of the event loop ends before
 *                                      ▲        └──▶ they took less than 0.4 ms: so do the next 64
 *                                      └───────────────────┘
 * ```
 *
 * Uses that wait for a server are further apart: there the timer for the end of each turn would cost more than the readings.
 */
import { type Clock, systemClock } from './clock.js';

/** How many uses make a burst. */
const USES = 16;

/** The longest time of {@link USES} in a burst, in milliseconds. */
const BURST_MILLIS = 0.1;

/** How many uses of a burst share a reading. */
const SHARING_USES = 64;

/** How long the timer for the end of the turn may take, in milliseconds, before it counts as lost. */
const LOST_MILLIS = 1_000;

export class BurstClock {
  readonly #clock: Clock;
  readonly #isReal: boolean;
  readonly #endTurn: () => void;
  #time = 0;
  /** How many uses may take {@link #time}. */
  #usesLeft = 0;
  /** How many uses have read the clock since {@link #burstBegan}. */
  #readings = 0;
  #burstBegan = 0;
  /** When uses began to share a reading; -Infinity if the last ones did not. */
  #sharedSince = Number.NEGATIVE_INFINITY;
  /** When the timer for the end of the turn was set; -Infinity if none is. */
  #timerSetAt = Number.NEGATIVE_INFINITY;

  /** `isReal` says that no test moves the clock. */
  constructor(clock: Clock, isReal: boolean = clock === systemClock) {
    this.#clock = clock;
    this.#isReal = isReal;
    this.#endTurn = () => {
      this.#usesLeft = 0;
      this.#sharedSince = Number.NEGATIVE_INFINITY;
      this.#timerSetAt = Number.NEGATIVE_INFINITY;
    };
  }

  /** Gives the time in whole milliseconds. In a burst it is up to {@link SHARING_USES} uses old, and of the same turn. */
  now(): number {
    if (this.#usesLeft === 0) return this.#read();
    this.#usesLeft--;
    return this.#time;
  }

  #read(): number {
    const now = this.#clock.now();
    this.#time = Math.floor(now);
    if (!this.#isReal) return this.#time; // A test moves its clock between two loans.
    if (now - this.#sharedSince <= BURST_MILLIS * (SHARING_USES / USES)) this.#share(now);
    else if (now - this.#burstBegan > BURST_MILLIS) {
      this.#burstBegan = now;
      this.#readings = 0;
    } else if (++this.#readings >= USES) this.#share(now);
    return this.#time;
  }

  #share(now: number): void {
    this.#sharedSince = now;
    this.#usesLeft = SHARING_USES;
    if (now - this.#timerSetAt < LOST_MILLIS) return;
    this.#timerSetAt = now;
    this.#clock.setTimer(this.#endTurn, 1, { background: true });
  }
}
