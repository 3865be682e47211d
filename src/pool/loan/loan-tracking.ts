/**
 * What is known of one loan that is out, besides that it is: kept for loans in a sample, and for all while the pool is
 * watched, so that a loan outside of it costs one check at its end.
 */
import type { NodeId } from '../../core/probe.js';

/** What is known of one loan that is out. */
export class LoanTracking {
  /** When it began, exactly, if its time is being taken; else `UNTIMED`. */
  timedFrom: number = UNTIMED;
  /** Its node, if it was watched from its start. */
  node: NodeId | undefined = undefined;
  /** The stack of who took it, if that is in the sample. */
  stack: string | undefined = undefined;
}

/** The beginning of a loan whose time is not being taken. */
export const UNTIMED = -1;
