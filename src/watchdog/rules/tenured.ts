/**
 * Rule *tenured*: a loan that stays out while the loans around it come and go. A suspect is old by two measures:
 *
 * | measure | old means | alone, it suspects |
 * |---|---|---|
 * | activity | it has survived two collections of the simulated heap, which takes some thousand requests and births | every loan in a burst of traffic |
 * | the clock | it is far older than loans of its component ever are | every slow job of a quiet service |
 */
import { millis, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { HoldTimes } from '../hold-times.js';
import type { Loan } from '../loan.js';
import { releaseAdvice } from './release-advice.js';
import type { Rule, RuleDefinition } from './rule.js';

/** When the rule *tenured* takes a loan to be old by the clock. */
export interface TenuredOptions {
  /**
   * No loan younger than this, in milliseconds, is suspected.
   *
   * @default 30_000
   */
  readonly minAgeMillis?: number;
  /**
   * Takes the place of `minAgeMillis`, in milliseconds, while fewer than 20 loans of the component have come back: nothing
   * is known yet of how long its loans take.
   *
   * @default 60_000
   */
  readonly minAgeUnknownMillis?: number;
  /**
   * A loan is suspected from this many times the 99th percentile of its component's returned loans on.
   *
   * @default 10
   */
  readonly factor?: number;
}

/** How many loans have to come back before their percentile means something. */
const ENOUGH_SAMPLES = 20;

/** The generation that long-lived nodes end up in. */
const OLDEST_GENERATION = 2;

class TenuredRule implements Rule<'tenured'> {
  readonly name = 'tenured';
  readonly #options: Required<TenuredOptions>;

  constructor(options: Required<TenuredOptions>) {
    this.#options = options;
  }

  judge(loan: Loan, now: number): Certainty | undefined {
    const { component } = loan;
    const isSuspect =
      now >= loan.expectedUntil &&
      now - loan.lentAt >= this.#oldMillis(component.holdTimes) &&
      component.generationOf(loan) === OLDEST_GENERATION;
    if (!isSuspect) return undefined;
    return component.isExhausted() ? 'probable' : 'suspect';
  }

  #oldMillis(holdTimes: HoldTimes): number {
    const { minAgeMillis, minAgeUnknownMillis, factor } = this.#options;
    return holdTimes.count < ENOUGH_SAMPLES
      ? minAgeUnknownMillis
      : Math.max(minAgeMillis, factor * holdTimes.percentile(0.99));
  }
}

export const tenured: RuleDefinition<'tenured', TenuredOptions> = {
  options: {
    minAgeMillis: option(millis, 30_000),
    minAgeUnknownMillis: option(millis, 60_000),
    factor: option(numberAtLeast(1), 10),
  },
  whatHappened: () => 'still out long after all its neighbours came back',
  fix: releaseAdvice,
  create: (_found, options) => new TenuredRule(options),
};
