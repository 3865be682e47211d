/** Optional details of one loan, allocated for sampled loans. A loan without them costs one check at its end. */

/** Optional details of one loan. */
export class LoanTracking {
  /** When the loan began, in milliseconds, if it is timed; else `UNTIMED`. */
  timedFrom: number = UNTIMED;
  /** The stack of the caller that took the loan, if it was captured. */
  stack: string | undefined = undefined;
}

/** The start of a loan that is not timed. */
export const UNTIMED = -1;
