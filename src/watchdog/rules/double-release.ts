/**
 * Rule *double-release*: a loan that had ended was ended again. The component refuses that and throws, but a `catch` or a
 * `finally` block may swallow the error. The component then reports it through the probe. No loan is lost by it; the program
 * has two owners for one loan, and the second may act on a resource that a third one uses.
 */
import type { RuleDefinition } from './rule.js';

/** The rule *double-release*. */
export const doubleRelease: RuleDefinition<'double-release'> = {
  misuse: { done: 'ended twice', label: 'ended again' },
  evidence: 'the loan had ended',
  whatHappened: () =>
    'ended again after it had ended; the error of the component was thrown, and may be swallowed',
  fix: () => 'end each lease once, or leave it to `using`',
  create: (_options, readings) => ({
    name: 'double-release',
    tellsMisuse: (misuse) => misuse === 'double-release' && readings.countsMisuse(),
  }),
};
