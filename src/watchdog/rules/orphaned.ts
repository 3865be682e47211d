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
 * A scope whose body returns without a promise ends at once, and cannot tell whether the body has started work that goes on. A
 * middleware of Express is such a body: `(request, response, next) => watchdog.scope(name, () => next())`. So is one with
 * `async () => next()`: its promise is settled when it is returned, and gives nothing. So once the watchdog
 * knows how long loans of the pool usually last, it lets its loans be out for that long, and for the grace. While the
 * pool is exhausted, with callers that wait and nothing that comes back, it does not wait for the grace, and suspects the loans after p99.
 *
 * ```
 *   the body returned ──▶ in use, as far as is known ──out for max(grace, 10 · p99)──▶ ORPHANED
 *                                    └────────── exhausted, and nothing back for 10 · p99 ──▲
 * ```
 *
 * A queue may run the job of one request in the flow of another that has ended. So may an emitter and a connection that is kept alive.
 * Once a loan of a site that was asked for after its scope has come back, the next ones of the site have the same time.
 *
 * A loop of work that was begun within a scope, such as the workers that a scope `startup` starts, takes its loans after that scope has
 * ended, for as long as the process runs. So does a body of a response that is streamed after its handler has returned. When the
 * losses of a site were found and have come back again and again, its loans are lost once they are out for twice as long.
 *
 * The leak is known when the owner ends, without V8. It is probable and not certain: work in the background may still
 * release the loan, and a late release retracts the leak. It is certain once V8 has collected the loan's capability.
 */
import type { Certainty } from '../certainty.js';
import { ENOUGH_SAMPLES } from '../hold-times.js';
import type { Loan } from '../loan.js';
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

/** This share of the returned loans lasted for a usual time. */
const USUAL_SHARE = 0.99;

/** A loan of work that may go on is lost once it is out for this many usual times. */
const UNUSUAL_FACTOR = 10;

/** How many losses of a site were found and have come back, before its loans may be out for as long. */
const LATE_RETURNS = 3;

/** A loan of such a site is lost once it is out for this many times as long after its scope. */
const LATE_FACTOR = 2;

/** The rule *orphaned*. */
export const orphaned: RuleDefinition<'orphaned'> = {
  judgesReclaimed: true,
  evidence: 'reference count 0 at the end of its owner',
  namesScope: true,
  whatHappened: ({ scope, owner }) =>
    owner !== undefined
      ? `its owner has ended and it was never released: ${owner}`
      : scope === undefined
        ? 'its owner has ended and it was never released'
        : `its scope has ended and it was never released: ${scope}`,
  fix: (loan) => `${releaseAdvice(loan)}${middlewareAdvice(loan)}`,
  create: (_options, readings, graceMillis) => ({
    name: 'orphaned',
    judge(loan, now) {
      if (!readings.isUnheld(loan)) return undefined;
      return readings.isCollected(loan) ? 'certain' : certaintyOf(loan, now, graceMillis);
    },
  }),
};

/** Names what ends the scope of a request in time, for a scope that may have been a middleware that calls `next`. */
function middlewareAdvice({ origin: { scope } }: Loan): string {
  return scope?.hasReturned === true
    ? '; its scope returned at once: if it is a middleware that calls `next()`, use `expressScopes(watchdog)` of tenure/integrations/express'
    : '';
}

/** Whether loans of its site usually come back later after their scopes than this one is out, and no other caller waits for it. */
function mayComeBackLate({ site, lateSince, component }: Loan, now: number): boolean {
  if (site === undefined || lateSince === undefined || component.shortage.isExhausted) return false;
  const { lateTimes } = site;
  const lateMillis = LATE_FACTOR * lateTimes.percentile(USUAL_SHARE);
  return lateTimes.count >= LATE_RETURNS && now - lateSince < lateMillis;
}

/** Whether work may go on that holds a loan, as far as is known, and how long such a loan usually lasts. */
function mayBeInUse(loan: Loan): boolean {
  const { origin, returnsBefore, site } = loan;
  if (site?.lateWorkReturns === true && loan.isLateWork) return true;
  return returnsBefore >= ENOUGH_SAMPLES && origin.scope?.mayGoOn() === true;
}

/** Gives how sure it is that no work of its scope holds a loan; `undefined` if such work may go on. */
function certaintyOf(loan: Loan, now: number, graceMillis: number): Certainty | undefined {
  if (graceMillis === 0) return 'probable';
  if (mayComeBackLate(loan, now)) return undefined;
  if (!mayBeInUse(loan)) return 'probable';
  const { component, lentAt } = loan;
  const { shortage, holdTimes } = component;
  const usualMillis = holdTimes.percentile(USUAL_SHARE);
  const unusualMillis = UNUSUAL_FACTOR * usualMillis;
  if (now - lentAt >= Math.max(graceMillis, unusualMillis)) return 'probable';
  if (!shortage.isExhausted) return undefined;
  const exhaustedMillis = now - shortage.since;
  if (exhaustedMillis >= unusualMillis) return 'probable';
  return exhaustedMillis >= usualMillis ? 'suspect' : undefined;
}
