/**
 * Reads the clock for the starts and the ends of loans and scopes. A reading of the platform's clock takes as long as half a loan, and
 * longer between other work, so uses that follow each other closely share one.
 *
 * ```
 *   16 readings within 5 ms ──▶ a timer of 5 ms ──16 uses or more until it fires──▶ the next timer
 *                                      │                      └──fewer──▶ each use reads the clock
 *                                      └ until it fires, 64 uses take one reading
 * ```
 *
 * A shared reading is up to 5 ms old. During a longer turn of the event loop it is as old as the turn at most.
 */
import { captureAsyncContext, type RunInContext } from './async-context.js';
import { type Clock, systemClock } from './clock.js';

/** How many uses within {@link BURST_MILLIS} make a burst. */
const USES = 16;

/** The length of a burst, and of the timer that ends a shared reading, in milliseconds. */
const BURST_MILLIS = 5;

/** How many uses share a reading at most: a turn of the event loop may be long. */
const SHARING_USES = 64;

/** How long the timer may take, in milliseconds, before it counts as lost. */
const LOST_MILLIS = 1_000;

/** Gives the time of loans and scopes, from one reading for several uses. */
export class BurstClock {
  readonly #clock: Clock;
  readonly #isReal: boolean;
  /** The timer is set in this context, not in that of a request. */
  readonly #runInContext: RunInContext = captureAsyncContext();
  readonly #timerFired: () => void;
  #time = 0;
  /** How many uses may take {@link #time}. */
  #usesLeft = 0;
  /** How many uses have read the clock since {@link #burstBegan}; while the timer runs, how many could share a reading. */
  #uses = 0;
  #burstBegan = Number.NEGATIVE_INFINITY;
  /** When the timer was set; -Infinity if none is. */
  #timerSetAt = Number.NEGATIVE_INFINITY;

  /** `isReal` says that no test moves the clock. */
  constructor(clock: Clock, isReal: boolean = clock === systemClock) {
    this.#clock = clock;
    this.#isReal = isReal;
    this.#timerFired = () => this.#endSharing();
  }

  /** Gives the time in whole milliseconds. In a burst it is up to {@link BURST_MILLIS} old, or of the same turn. */
  now(): number {
    if (this.#usesLeft === 0) return this.#read();
    this.#usesLeft--;
    return this.#time;
  }

  #read(): number {
    const now = this.#clock.now();
    this.#time = Math.floor(now);
    if (!this.#isReal) return this.#time; // A test moves its clock between two loans.
    if (now - this.#timerSetAt < LOST_MILLIS) this.#share();
    else if (now - this.#burstBegan > BURST_MILLIS) {
      this.#burstBegan = now;
      this.#uses = 1;
    } else if (++this.#uses === USES) this.#beginSharing(now);
    return this.#time;
  }

  #beginSharing(now: number): void {
    this.#timerSetAt = now;
    this.#uses = 0;
    this.#share();
    this.#runInContext(() =>
      this.#clock.setTimer(this.#timerFired, BURST_MILLIS, { background: true }),
    );
  }

  #share(): void {
    this.#usesLeft = SHARING_USES;
    this.#uses += SHARING_USES;
  }

  #endSharing(): void {
    const uses = this.#uses - this.#usesLeft;
    this.#usesLeft = 0;
    this.#timerSetAt = Number.NEGATIVE_INFINITY;
    this.#burstBegan = Number.NEGATIVE_INFINITY;
    if (uses < USES) return;
    const now = this.#clock.now();
    this.#time = Math.floor(now);
    this.#beginSharing(now);
  }
}
