/**
 * Rule *abandoned*: V8 has collected the object through which the loan could be ended, so no code can end it any more.
 * This is proof, even while other code still uses the resource.
 *
 * The choice of the registered object decides everything:
 *
 * | registered with V8 | what happens |
 * |---|---|
 * | the resource | its pool keeps it alive: never collected, no leak found |
 * | a wrapper that the caller may take apart | collected while the loan is in use: false alarm |
 * | the release capability, the lease | collected when no code can release the loan any more: proof |
 */
import type { Loan } from '../loan.js';
import { releaseAdvice } from './release-advice.js';
import type { Found, Rule, RuleDefinition } from './rule.js';

class AbandonedRule implements Rule<'abandoned'> {
  readonly name = 'abandoned';
  readonly #capabilities: FinalizationRegistry<Loan>;

  constructor(found: Found) {
    this.#capabilities = new FinalizationRegistry((loan) => {
      if (loan.ended) return;
      loan.collected = true;
      found(loan, 'certain');
    });
  }

  settled(loan: Loan, capability: WeakKey | undefined): void {
    if (capability !== undefined) this.#capabilities.register(capability, loan, loan);
  }

  ended(loan: Loan): void {
    this.#capabilities.unregister(loan);
  }
}

export const abandoned: RuleDefinition<'abandoned'> = {
  asksV8: true,
  whatHappened: () => 'garbage-collected without release: nobody can release it any more',
  fix: releaseAdvice,
  create: (found) => new AbandonedRule(found),
};
