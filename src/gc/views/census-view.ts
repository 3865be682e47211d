/** Lists the counts of a heap by kind, site and generation. */
import type { HeapState } from '../heap-state.js';
import type { ClassCounts } from '../memory/census.js';

/** Counts of the nodes of one kind at one site. */
export interface CensusEntry extends ClassCounts {
  /** Kind of the nodes. */
  readonly kind: string;
  /** Site of the nodes; empty for nodes without one. */
  readonly site: string;
}

/** Returns the counts of each class that has had a node. O(classes). */
export function viewCensus({ store, kinds }: HeapState): CensusEntry[] {
  const { census } = store;
  const entries: CensusEntry[] = [];
  for (let id = 0; census !== null && id < census.classes; id++) {
    const counts = census.countsOf(id);
    if (counts.born > 0) entries.push({ kind: kinds.name(id), site: kinds.site(id), ...counts });
  }
  return entries;
}
