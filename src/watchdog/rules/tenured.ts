/**
 * Rule *tenured*: a loan that stays out while the loans around it come and go. A suspect is old by two measures. Each alone
 * would give false alarms:
 *
 * | measure | a loan is old if | alone, it would suspect |
 * |---|---|---|
 * | activity | it is in the oldest generation: it has survived two collections, some thousand requests and births | every loan in a burst of traffic |
 * | the clock | it is far older than loans of its component usually get | every slow job of a quiet service |
 *
 * While nothing at all comes back, the loans around it are as slow as it is, and it is no suspect.
 */
import { millis, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { HoldTimes } from '../hold-times.js';
import type { Loan } from '../loan.js';
import { releaseAdvice } from './release-advice.js';
import type { Rule, RuleDefinition } from './rule.js';

/** Options of the rule *tenured*: when a loan is old by the clock. */
export interface TenuredOptions {
  /**
   * The age below which no loan is suspected, in milliseconds.
   *
   * @default 30_000
   */
  readonly minAgeMillis?: number;
  /**
   * The age below which no loan is suspected while fewer than 20 loans of its component have come back, in milliseconds.
   * Nothing is known then about how long such loans take.
   *
   * @default 60_000
   */
  readonly minAgeUnknownMillis?: number;
  /**
   * How many times as old a loan has to be as the 99th percentile of its component's returned loans.
   *
   * @default 10
   */
  readonly factor?: number;
}

/** The generation of nodes that have survived two collections. */
const OLDEST_GENERATION = 2;

/** The thresholds of one watchdog. */
class TenuredRule implements Rule<'tenured'> {
  readonly name = 'tenured';
  readonly #options: Required<TenuredOptions>;

  constructor(options: Required<TenuredOptions>) {
    this.#options = options;
  }

  judge(loan: Loan, now: number): Certainty | undefined {
    const { component } = loan;
    const isSuspect =
      component.holdTimes.count > loan.returnsBefore &&
      now - loan.lentAt >= this.#oldMillis(component.holdTimes) &&
      component.generationOf(loan) === OLDEST_GENERATION;
    if (!isSuspect) return undefined;
    return component.shortage.isDry ? 'probable' : 'suspect';
  }

  #oldMillis(holdTimes: HoldTimes): number {
    const { minAgeMillis, minAgeUnknownMillis, factor } = this.#options;
    const unusualMillis = holdTimes.unusualMillis(factor);
    return unusualMillis === undefined
      ? minAgeUnknownMillis
      : Math.max(minAgeMillis, unusualMillis);
  }
}

/** The rule *tenured*. */
export const tenured: RuleDefinition<'tenured', TenuredOptions> = {
  options: {
    minAgeMillis: option(millis, 30_000),
    minAgeUnknownMillis: option(millis, 60_000),
    factor: option(numberAtLeast(1), 10),
  },
  whatHappened: () => 'still out long after the loans around it came back',
  fix: releaseAdvice,
  create: (_found, options) => new TenuredRule(options),
};
