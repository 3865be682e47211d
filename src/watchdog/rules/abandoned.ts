/**
 * Rule *abandoned*: V8 has collected the capability of a loan, the one object that can end it. No code can end the loan any
 * more. This is proof, even while other code still uses the resource. It is proof too for a loan that a forced close has taken
 * back: its holder did not end it.
 *
 * What is registered with V8 decides what is found:
 *
 * | registered | result |
 * |---|---|
 * | the resource | never collected, since its pool keeps it alive: no leak is found |
 * | a wrapper that the caller may take apart | collected while the resource is in use and can be released: a false alarm |
 * | the capability, such as a lease | collected when no code can release the loan: proof |
 */
import type { Certainty } from '../certainty.js';
import type { Loan } from '../loan.js';
import type { Readings } from '../readings.js';
import { releaseAdvice } from './release-advice.js';
import type { Found, Rule, RuleDefinition } from './rule.js';

/** Registers the capabilities of one watchdog's loans with V8. */
class AbandonedRule implements Rule<'abandoned'> {
  readonly name = 'abandoned';
  readonly #capabilities: FinalizationRegistry<Loan>;
  readonly #readings: Readings;

  constructor(found: Found, readings: Readings) {
    this.#readings = readings;
    this.#capabilities = new FinalizationRegistry(found);
  }

  settled(loan: Loan, capability: WeakKey | undefined): void {
    if (capability !== undefined) this.#capabilities.register(capability, loan, loan);
  }

  judge(loan: Loan): Certainty | undefined {
    return this.#readings.isCollected(loan) ? 'certain' : undefined;
  }

  ended(loan: Loan): void {
    this.#capabilities.unregister(loan);
  }
}

/** The rule *abandoned*. */
export const abandoned: RuleDefinition<'abandoned'> = {
  asksV8: true,
  whatHappened: () => 'garbage-collected without release: no code can release it any more',
  fix: releaseAdvice,
  create: (found, _options, readings) => new AbandonedRule(found, readings),
};
