/** What the simulated heap counts of a class of nodes: of a kind at a site. */
import type { BaseHeap } from '../gc/base-heap.js';
import type { ClassCounts } from '../gc/memory/census.js';

const NO_COUNTS: ClassCounts = { live: [0, 0, 0], born: 0, freed: [0, 0, 0], promoted: [0, 0, 0] };

/** Gives the counts of a class; zeros in a heap without a census. O(1). */
export function countsOf(heap: BaseHeap, classId: number): ClassCounts {
  return heap.countsOf(classId) ?? NO_COUNTS;
}

/** Gives the sum of a count over the generations. */
export function total([young, middle, old]: ClassCounts['live']): number {
  return young + middle + old;
}
