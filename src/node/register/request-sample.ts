/**
 * Chooses the requests that are scopes. A scope costs a request 4 µs, and on Node 20 and 22 the async context slows each promise
 * and each callback of the process down: a request of Express and pg takes 10 to 15 % longer. So a busy service has a sample of
 * its requests watched:
 *
 * | requests | why |
 * |---|---|
 * | the first {@link FIRST_REQUESTS} | a route that leaks usually does so from the start |
 * | of each second the first {@link PER_SECOND} | a leak of long standing is found in time, at a bounded cost |
 * | all, while a loan is out for longer than {@link LONG_MILLIS} | it may be lost: the next one that is lost is named |
 *
 * The watched requests of a second come together, so that the async context rests in between.
 */
import { type Clock, systemClock } from '../../core/clock.js';

/** How many requests are watched at the start. */
export const FIRST_REQUESTS = 2_000;

/** How many requests of each second are watched after that: a tenth of a per cent of a processor. */
const PER_SECOND = 100;

/** The age from which a loan makes every request watched, in milliseconds. */
const LONG_MILLIS = 1_000;

/** What the sample asks of a watchdog. */
export interface LoanAges {
  /** The age of the oldest loan that is out, in milliseconds; 0 if there is none. O(1). */
  oldestLoanMillis(): number;
}

/** How many requests there were, and how many of them were scopes. */
export interface RequestCounts {
  readonly requests: number;
  readonly watched: number;
}

/** The sample of the requests of one process. */
export class RequestSample {
  readonly #ages: LoanAges;
  readonly #clock: Pick<Clock, 'now'>;
  #requests = 0;
  #watched = 0;
  #second = 0;
  #watchedInSecond = 0;
  #isSuspicious = false;

  constructor(ages: LoanAges, clock: Pick<Clock, 'now'> = systemClock) {
    this.#ages = ages;
    this.#clock = clock;
  }

  /** The requests so far. */
  get counts(): RequestCounts {
    return { requests: this.#requests, watched: this.#watched };
  }

  /** Counts the next request. True if it is to be a scope. O(1). */
  readonly next = (): boolean => {
    this.#requests++;
    if (!this.#isDue()) return false;
    this.#watched++;
    return true;
  };

  #isDue(): boolean {
    if (this.#watched < FIRST_REQUESTS) return true;
    const second = Math.floor(this.#clock.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#watchedInSecond = 0;
      this.#isSuspicious = this.#ages.oldestLoanMillis() > LONG_MILLIS;
    }
    return this.#isSuspicious || ++this.#watchedInSecond <= PER_SECOND;
  }
}
