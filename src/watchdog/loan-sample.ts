/**
 * Chooses the loans of a component that are tracked. The others are counted: their watch costs a fifth.
 *
 * | level | tracked |
 * |---|---|
 * | `counters` | loans within a scope; of the others at most {@link PER_PERIOD} in each {@link PERIOD_MILLIS} |
 * | `sampled` | the first {@link TRACKED_PER_SECOND} in each second, of all components together; of each component the first few, its first in each second, and one at random of each so many; all for a while after a leak without a line |
 * | the others | all |
 */
import type { Clock } from '../core/clock.js';
import type { Tracking } from './level.js';
import { type LoanClock, PerSecondLimit } from './per-second-limit.js';

/** How many loans of a component are tracked at its start. A component that leaks usually does so from the start. */
const FIRST = 4;

/** How many loans are tracked after one that was lost without a known line. */
const AFTER_SITELESS_LEAK = 1_000;

/** How many loans are tracked after the component was exhausted with holders that were not: the path that loses them may be a rare one. */
const AFTER_UNTRACKED_LEAK = 100_000;

/** How many loans of all components together are tracked in each second at the level `sampled`. */
export const TRACKED_PER_SECOND = 100;

/** How many loans outside of scopes are tracked in each period at the level `counters`. */
const PER_PERIOD = 100;

/** The length of a period, in milliseconds. It begins anew with the first loan after it. */
const PERIOD_MILLIS = 100;

/** The linear congruential generator of Numerical Recipes (W. H. Press et al., 2nd edition, 1992, chapter 7.1). */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;
const MODULUS = 2 ** 32;

/** The sample of one component. */
export class LoanSample {
  readonly #tracking: Tracking;
  readonly #clock: Clock;
  readonly #every: number;
  /** How many of the next loans are tracked in any case. */
  #tracked: number;
  #untilNext: number;
  #random = 1;
  /** The place of the last tracked loan in its block of `every` loans, from 1 on. */
  #place: number;
  readonly #loanClock: LoanClock;
  readonly #ownLimit: PerSecondLimit;
  readonly #sharedLimit: PerSecondLimit;

  /**
   * One loan in `every` is tracked if the tracking is `sampled`, besides the first in their seconds: of the component, and by
   * `sharedLimit` of all components.
   */
  constructor(
    tracking: Tracking,
    every: number,
    clock: Clock,
    loanClock: LoanClock,
    sharedLimit: PerSecondLimit,
  ) {
    this.#loanClock = loanClock;
    this.#ownLimit = new PerSecondLimit(1);
    this.#sharedLimit = sharedLimit;
    this.#tracking = tracking;
    this.#clock = clock;
    this.#every = every;
    this.#place = every;
    this.#untilNext = this.#distance();
    this.#tracked = tracking === 'scoped' ? PER_PERIOD : FIRST;
  }

  /** Tracks each of the next {@link AFTER_SITELESS_LEAK} loans. */
  trackNext(): void {
    this.#trackAtLeast(AFTER_SITELESS_LEAK);
  }

  /** Tracks each of the next {@link AFTER_UNTRACKED_LEAK} loans. */
  trackMany(): void {
    this.#trackAtLeast(AFTER_UNTRACKED_LEAK);
  }

  #trackAtLeast(loans: number): void {
    if (this.#tracking === 'sampled') this.#tracked = Math.max(this.#tracked, loans);
  }

  /** Counts the next loan. True if it is to be tracked. `isOwned` says whether a scope or a value owns it. O(1). */
  sampleNext(isOwned: boolean): boolean {
    if (this.#tracking === 'all' || (isOwned && this.#tracking === 'scoped')) return true;
    const isFirst = this.#tracking === 'sampled' && this.#isFirst();
    if (this.#tracked > 0) {
      if (--this.#tracked === 0 && this.#tracking === 'scoped') this.#endPeriod();
      return true;
    }
    if (this.#tracking === 'scoped' || --this.#untilNext > 0) return isFirst;
    this.#untilNext = this.#distance();
    return true;
  }

  /** Whether the next loan is one of the first in its second: of the component, or of all. */
  #isFirst(): boolean {
    const now = this.#loanClock.loanTime();
    const isFirstOfComponent = this.#ownLimit.takeNext(now);
    return this.#sharedLimit.takeNext(now) || isFirstOfComponent;
  }

  /**
   * Chooses the tracked loan of the next `every` loans at random, and gives the distance to it. A constant distance would
   * always miss a leak that repeats in step with it, such as each second loan.
   */
  #distance(): number {
    const restOfBlock = this.#every - this.#place;
    this.#random = (Math.imul(this.#random, MULTIPLIER) + INCREMENT) >>> 0;
    this.#place = 1 + Math.floor((this.#random / MODULUS) * this.#every);
    return restOfBlock + this.#place;
  }

  #endPeriod(): void {
    const refill = (): void => {
      this.#tracked = PER_PERIOD;
    };
    this.#clock.setTimer(refill, PERIOD_MILLIS, { background: true });
  }
}
