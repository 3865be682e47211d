/**
 * Rule *abandoned*: V8 has collected the one object through which a loan could be ended, so nobody can end it any more.
 * This is proof, whatever still uses what was lent.
 *
 * What is registered decides everything. A pool keeps its resources alive, so the resource itself is never collected; a
 * wrapper that the user destructures is collected while the loan is in good hands. Only the release capability will do.
 */
import type { Loan } from '../loan.js';

export class AbandonedRule {
  readonly #registry: FinalizationRegistry<Loan>;

  /** `abandoned` is called, between turns of the event loop, for each loan whose capability was collected. */
  constructor(abandoned: (loan: Loan) => void) {
    this.#registry = new FinalizationRegistry((loan) => {
      if (!loan.ended) abandoned(loan);
    });
  }

  watch(loan: Loan, capability: WeakKey): void {
    this.#registry.register(capability, loan, loan);
  }

  unwatch(loan: Loan): void {
    this.#registry.unregister(loan);
  }
}
