/**
 * Rule *abandoned*: V8 has collected the capability of a loan, the one object that can end it. No code can end the loan any
 * more. This is proof, even while other code still uses the resource. It is proof too for a loan that a forced close has taken
 * back: its holder did not end it.
 *
 * What the watchdog refers to weakly decides what is found:
 *
 * | weak reference to | result |
 * |---|---|
 * | the resource | never collected, since its pool keeps it alive: no leak is found |
 * | a wrapper that the caller may take apart | collected while the resource is in use and can be released: a false alarm |
 * | the capability, such as a lease | collected when no code can release the loan: proof |
 */
import { releaseAdvice } from './release-advice.js';
import type { RuleDefinition } from './rule.js';

/** The rule *abandoned*. */
export const abandoned: RuleDefinition<'abandoned'> = {
  asksV8: true,
  judgesReclaimed: true,
  whatHappened: () => 'garbage-collected without release: no code can release it any more',
  fix: releaseAdvice,
  create: (_options, readings) => ({
    name: 'abandoned',
    judge: (loan) => (readings.isCollected(loan) ? 'certain' : undefined),
  }),
};
