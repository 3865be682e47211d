/**
 * Rule *orphaned*: the scope that took the loan has ended, and the loan is still out. Reference counts alone show it:
 *
 * ```
 *   scope "GET /orders" ──▶ loan ──▶ connection        the scope runs: the loan's count is 1
 *                           loan ──▶ connection        the scope has ended: 0, and still out
 * ```
 *
 * A loan that is granted after its scope has ended begins as an orphan.
 *
 * The leak is known when the scope ends, without V8. It is probable and not certain: work in the background may still
 * release the loan, and a late release retracts the leak. It is certain once V8 has collected the loan's capability.
 */
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

/** The rule *orphaned*. */
export const orphaned: RuleDefinition<'orphaned'> = {
  evidence: 'reference count 0 at the end of its scope',
  namesScope: true,
  whatHappened: ({ scope }) =>
    scope === undefined
      ? 'its owner has ended and it was never released'
      : `its scope has ended and it was never released: ${scope}`,
  fix: releaseAdvice,
  create: () => ({
    name: 'orphaned',
    judge({ isUnheld, collected }) {
      if (!isUnheld) return undefined;
      return collected ? 'certain' : 'probable';
    },
  }),
};
