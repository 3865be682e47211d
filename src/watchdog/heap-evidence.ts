/** What the simulated heap shows of a loan, as data. */
import type { ClassCounts } from '../gc/memory/census.js';

/** What the simulated heap counts of the loans of one site: of a line and the name of a scope. */
export interface SiteCounters extends ClassCounts {
  /** How often the whole heap was collected. */
  readonly fullCollections: number;
}

/** What the simulated heap shows of a loan. */
export interface HeapEvidence {
  /** The nodes from a root to the loan, as `scope "GET /orders"`; empty once the loan has ended. */
  readonly path: readonly string[];
  /** The nodes of the unreachable cycle in which the loan was found. */
  readonly cycle?: readonly string[];
  /** The counters of its site; absent for a loan with neither a stack nor a scope. */
  readonly counters?: SiteCounters;
}
