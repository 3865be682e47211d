/**
 * Rule *cycle*: the owners of a loan hold each other, and nothing else holds them. Their reference counts never drop to 0. The cycle
 * collector of the simulated heap finds them unreachable:
 *
 * ```
 *   value a ──▶ lease ──▶ value b          no scope, no component and no other value leads here
 *      ▲                     │
 *      └────── lease ◀───────┘
 * ```
 *
 * V8 may still reach the objects, so the leak is probable until V8 has collected the loan's capability.
 */
import type { RuleDefinition } from './rule.js';

/** The rule *cycle*. */
export const cycle: RuleDefinition<'cycle'> = {
  judgesReclaimed: true,
  evidence: 'an unreachable cycle with an open loan in it',
  whatHappened: ({ cycle: nodes = [] }) =>
    `its owners hold each other, and nothing else holds them: ${nodes.join(' → ')}`,
  fix: () => 'let one of the owners end before the other, or take the lease outside of the value',
  create: (_options, readings) => ({
    name: 'cycle',
    judge(loan) {
      if (readings.cycleOf(loan) === undefined) return undefined;
      return readings.isCollected(loan) ? 'certain' : 'probable';
    },
  }),
};
