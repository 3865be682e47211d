/**
 * Rule *direct-release*: a loan of an adopted pool whose resource was given back to the pool underneath, and not by its lease. A habit of
 * that pool's users, such as `client.release()` of pg, leads to it. The resource is not lost: the pool underneath lends it again. But
 * the adopted pool counts the loan as out for ever, and its `close()` waits for it.
 *
 * The reference count of such a loan drops to 0 while it is out, as that of a lost one does. Only the pool underneath knows the
 * difference. So its loans are compared with those of the adopted pool before a loss is told.
 */
import type { RuleDefinition } from './rule.js';

/** The rule *direct-release*. */
export const directRelease: RuleDefinition<'direct-release'> = {
  misuse: { done: 'given back past its lease', label: 'acquired at' },
  evidence: 'the loan is out',
  whatHappened: () =>
    'its resource was given back to the pool underneath, and its lease was not released: nothing is lost',
  fix: () => 'end the loan by its lease, or take the resource from the pool underneath as well',
  create: (_options, readings) => ({
    name: 'direct-release',
    tellsMisuse: (misuse) => misuse === 'direct-release' && readings.countsDirectRelease(),
  }),
};
