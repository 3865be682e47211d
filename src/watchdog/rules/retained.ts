/**
 * Rule *retained*: an object that was expected to die is alive. It has survived collections of V8's, and its node in the simulated
 * heap has reached the oldest generation. Some variable, closure or collection still leads to it.
 */
import { millis, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Expectation } from '../expectations.js';
import type { Readings } from '../readings.js';
import type { Rule, RuleContext, RuleDefinition } from './rule.js';

/** Options of the rule *retained*. */
export interface RetainedOptions {
  /**
   * How long an object may live after it was expected to die, in milliseconds. A check with `forceGc` does not wait.
   *
   * @default 5_000
   */
  readonly minAgeMillis?: number;
}

/** How many of V8's full collections an object has to survive. A forced one counts as this many. */
export const SURVIVED_COLLECTIONS = 2;

const OLDEST_GENERATION = 2;

class RetainedRule implements Rule<'retained'> {
  readonly name = 'retained';
  readonly #minAgeMillis: number;
  readonly #readings: Readings;

  constructor({ minAgeMillis }: Required<RetainedOptions>, readings: Readings) {
    this.#minAgeMillis = minAgeMillis;
    this.#readings = readings;
  }

  judgeObjects(context: RuleContext): void {
    for (const expectation of context.expectations) {
      context.tell(this.#judge(expectation, context), expectation.loan);
    }
  }

  #judge(expectation: Expectation, { now, isForced }: RuleContext): Certainty | undefined {
    if (this.#readings.generationOfExpected(expectation) !== OLDEST_GENERATION) return undefined;
    if (expectation.survived < SURVIVED_COLLECTIONS) return undefined;
    const isOld = now - expectation.since >= this.#minAgeMillis;
    return isForced ? 'certain' : isOld ? 'probable' : undefined;
  }
}

/** The rule *retained*. */
export const retained: RuleDefinition<'retained', RetainedOptions> = {
  asksV8: true,
  options: { minAgeMillis: option(millis, 5_000) },
  evidence: 'its node has reached generation 2',
  isPopulation: true,
  siteLabel: 'expected at',
  whatHappened: ({ component }) =>
    `${component.name} should have died, and has survived V8's collections`,
  fix: () => 'find what leads to it with a heap snapshot: a closure, a listener, a Map, a timer',
  create: (options, readings) => new RetainedRule(options, readings),
};
