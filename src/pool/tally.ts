/** What is counted while it happens: states that have no list of their own, and totals since the pool was created. */

/** The counts of one pool. */
export class Tally {
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
  /** Callers whose wait timed out, in all. */
  acquireTimeouts = 0;
}
