/**
 * Rule *orphaned*: the scope that took the loan has ended, and the loan is still out. This needs reference counts alone:
 *
 * ```
 *   scope "GET /orders" ──▶ loan ──▶ connection        reference count of the loan: 1
 *   (ended)                 loan ──▶ connection        0, and not released: orphaned
 * ```
 *
 * It is known in the moment in which the scope ends, without V8. It is not proof: work that goes on in the background may
 * still release the loan, so a late release retracts the leak. V8's collector turns `probable` into `certain`.
 */
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

export const orphaned: RuleDefinition<'orphaned'> = {
  evidence: 'reference count 0 at the end of its scope',
  namesScope: true,
  whatHappened: ({ scope }) =>
    `its scope has ended and it was never released: ${scope ?? 'unnamed'}`,
  fix: releaseAdvice,
  create: () => ({
    name: 'orphaned',
    unheld: ({ collected }) => (collected ? 'certain' : 'probable'),
  }),
};
