/**
 * Rule *exhausted*: every resource is out, callers wait or time out, and nothing has come back for long. The loans that are
 * out are what keeps the component dry, whether their holders are slow or have lost them. This needs neither a scope nor
 * activity: a quiet service that has lost its last resource has no loans by which the rule *tenured* could measure.
 */
import { millis, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Loan } from '../loan.js';
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

/** How many returned loans a percentile has to be drawn from. */
const ENOUGH_SAMPLES = 20;

/** The thresholds of one watchdog. */
class ExhaustedRule implements Rule<'exhausted'> {
  readonly name = 'exhausted';
  readonly #options: Required<ExhaustedOptions>;

  constructor(options: Required<ExhaustedOptions>) {
    this.#options = options;
  }

  judge({ component }: Loan, now: number): Certainty | undefined {
    const { shortage, holdTimes } = component;
    if (!shortage.isDry) return undefined;
    const { minMillis, factor } = this.#options;
    const isKnown = holdTimes.count >= ENOUGH_SAMPLES;
    const longMillis = isKnown
      ? Math.max(minMillis, factor * holdTimes.percentile(0.99))
      : minMillis;
    if (now - shortage.since < longMillis) return undefined;
    return isKnown ? 'probable' : 'suspect';
  }
}

/** The rule *exhausted*. */
export const exhausted: RuleDefinition<'exhausted', ExhaustedOptions> = {
  options: {
    minMillis: option(millis, 60_000),
    factor: option(numberAtLeast(1), 10),
  },
  whatHappened: () =>
    'every resource is out, callers wait in vain, and none has come back for long',
  fix: releaseAdvice,
  create: (_found, options) => new ExhaustedRule(options),
};
