/**
 * Optional details of one loan, allocated for sampled loans, and for all loans while the pool is watched. A loan without
 * them costs one check at its end.
 */
import type { NodeId } from '../../core/probe.js';

/** Optional details of one loan. */
export class LoanTracking {
  /** When the loan began, in milliseconds, if it is timed; else `UNTIMED`. */
  timedFrom: number = UNTIMED;
  /** The loan's node in the observer's heap, if the pool was watched when the loan began. */
  node: NodeId | undefined = undefined;
  /** The stack of the caller that took the loan, if it was captured. */
  stack: string | undefined = undefined;
}

/** The start of a loan that is not timed. */
export const UNTIMED = -1;
