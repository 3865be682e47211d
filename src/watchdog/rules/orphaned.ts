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
 * A scope whose body returns without a promise ends at once, and cannot tell whether the body has started work that goes on. A
 * middleware of Express is such a body: `(request, response, next) => watchdog.scope(name, () => next())`. So once the watchdog
 * knows how long loans of the pool usually last, it lets its loans be out for that long, and for the grace. The time does not count
 * while the pool is dry: callers wait, and nothing comes back.
 *
 * ```
 *   the body returned ──▶ in use, as far as is known ──out for max(grace, 10 · p99)──▶ ORPHANED
 *                                    └────── dry, and nothing back for 10 · p99 ──────────▲
 * ```
 *
 * The leak is known when the scope ends, without V8. It is probable and not certain: work in the background may still
 * release the loan, and a late release retracts the leak. It is certain once V8 has collected the loan's capability.
 */
import { ENOUGH_SAMPLES } from '../hold-times.js';
import type { Loan } from '../loan.js';
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

/** A loan of work that may go on is lost once it is out for this many times the 99th percentile of the returned loans. */
const UNUSUAL_FACTOR = 10;

/** The rule *orphaned*. */
export const orphaned: RuleDefinition<'orphaned'> = {
  evidence: 'reference count 0 at the end of its scope',
  namesScope: true,
  whatHappened: ({ scope }) =>
    scope === undefined
      ? 'its owner has ended and it was never released'
      : `its scope has ended and it was never released: ${scope}`,
  fix: releaseAdvice,
  create: (_found, _options, graceMillis) => ({
    name: 'orphaned',
    judge(loan, now) {
      if (!loan.isUnheld) return undefined;
      if (loan.collected) return 'certain';
      return mayBeInUse(loan, now, graceMillis) ? undefined : 'probable';
    },
  }),
};

/** Whether a loan may be held by work that its scope has started, and that goes on. */
function mayBeInUse(
  { origin: { scope }, component, lentAt, returnsBefore }: Loan,
  now: number,
  graceMillis: number,
): boolean {
  if (graceMillis === 0 || returnsBefore < ENOUGH_SAMPLES || scope?.mayGoOn() !== true)
    return false;
  const { shortage, holdTimes } = component;
  const unusualMillis = holdTimes.unusualMillis(UNUSUAL_FACTOR) ?? 0;
  if (shortage.isDry && now - shortage.since >= unusualMillis) return false;
  return now - lentAt < Math.max(graceMillis, unusualMillis);
}
