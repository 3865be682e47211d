/** What is counted while it happens: states that have no list of their own, and totals since the pool was created. */

import { MillisHistogram } from '../core/histogram.js';

/** The counts of one pool. */
export class PoolCounters {
  /** Resources that somebody holds. */
  borrowed = 0;
  /** Resources being validated before they are lent. */
  validating = 0;
  /** Resources being reset and validated after they came back. */
  resetting = 0;
  /** Resources being destroyed. */
  destroying = 0;
  /** Loans granted in all. */
  loans = 0;
  /** Resources created in all. */
  created = 0;
  /** Resources destroyed in all. */
  destroyed = 0;
  /** The same, by reason. */
  readonly destroyedBy: Record<string, number> = {};
  /** Resources that left with their holders, in all. */
  detached = 0;
  /** Callers who had to wait, in all. */
  waited = 0;
  /** How long callers waited, of those whose time was taken. */
  readonly waits: MillisHistogram = new MillisHistogram();
  /** How long resources were held, in the loans whose time was taken. */
  readonly holds: MillisHistogram = new MillisHistogram();
  /** Callers whose wait timed out, in all. */
  acquireTimeouts = 0;
  /** Callers who were refused since too many waited, in all. */
  refusals = 0;
}
