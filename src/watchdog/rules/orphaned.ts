/**
 * Rule *orphaned*: the owner of the loan has ended, and the loan is still out. The owner is the scope that took the loan, or the
 * entry, value, resource or stack for which it was taken. Reference counts alone show it:
 *
 * ```
 *   scope "GET /orders" ──▶ loan ──▶ connection        the scope runs: the loan's count is 1
 *                           loan ──▶ connection        the scope has ended: 0, and still out
 * ```
 *
 * A loan that is granted after its scope has ended begins as an orphan.
 *
 * The leak is known when the owner ends, without V8. It is probable and not certain: work in the background may still
 * release the loan, and a late release retracts the leak. It is certain once V8 has collected the loan's capability.
 */
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

/** The rule *orphaned*. */
export const orphaned: RuleDefinition<'orphaned'> = {
  evidence: 'reference count 0 at the end of its owner',
  namesScope: true,
  whatHappened: ({ scope, owner }) =>
    owner !== undefined
      ? `its owner has ended and it was never released: ${owner}`
      : scope === undefined
        ? 'its owner has ended and it was never released'
        : `its scope has ended and it was never released: ${scope}`,
  fix: releaseAdvice,
  create: (_options, readings) => ({
    name: 'orphaned',
    judge(loan) {
      if (!readings.isUnheld(loan)) return undefined;
      return readings.isCollected(loan) ? 'certain' : 'probable';
    },
  }),
};
