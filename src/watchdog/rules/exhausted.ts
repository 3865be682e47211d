/**
 * Rule *exhausted*: every resource is out, callers wait or leave without one, and nothing has come back for long. The loans that are
 * out are what keeps the component exhausted, whether their holders are slow or have lost them. This needs neither a scope nor
 * activity: a quiet service that has lost its last resource has no loans by which the rule *tenured* could measure.
 *
 * Callers of `tryLease` often poll for a free place beside jobs of minutes. They count once it is known how long the loans usually take.
 */
import { millis, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Loan } from '../loan.js';
import type { Readings } from '../readings.js';
import { releaseAdvice } from './release-advice.js';
import type { Rule, RuleDefinition } from './rule.js';

/** Options of the rule *exhausted*: how long nothing has come back. */
export interface ExhaustedOptions {
  /**
   * The shortest time without a returned loan, in milliseconds.
   *
   * @default 60_000
   */
  readonly minMillis?: number;
  /**
   * How many times as long that time has to be as the 99th percentile of the component's returned loans.
   *
   * @default 10
   */
  readonly factor?: number;
}

/** The thresholds of one watchdog. */
class ExhaustedRule implements Rule<'exhausted'> {
  readonly name = 'exhausted';
  readonly #options: Required<ExhaustedOptions>;
  readonly #readings: Readings;

  constructor(options: Required<ExhaustedOptions>, readings: Readings) {
    this.#options = options;
    this.#readings = readings;
  }

  judge(loan: Loan, now: number): Certainty | undefined {
    const { shortage, holdTimes } = loan.component;
    if (!shortage.isExhausted) return undefined;
    const { minMillis, factor } = this.#options;
    const unusualMillis = holdTimes.unusualMillis(factor);
    if (unusualMillis === undefined && shortage.isOnlyTried) return undefined;
    const idleMillis = this.#readings.idleMillis(loan, now);
    if (idleMillis < Math.max(minMillis, unusualMillis ?? 0)) return undefined;
    return unusualMillis === undefined ? 'suspect' : 'probable';
  }
}

/** The rule *exhausted*. */
export const exhausted: RuleDefinition<'exhausted', ExhaustedOptions> = {
  options: {
    minMillis: option(millis, 60_000),
    factor: option(numberAtLeast(1), 10),
  },
  whatHappened: () =>
    'every resource is out, callers wait or are refused, and none has come back for a long time',
  fix: releaseAdvice,
  create: (options, readings) => new ExhaustedRule(options, readings),
};
