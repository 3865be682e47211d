/**
 * Decides when a tracing collector runs. Such a collector has no generations, so each collection costs time in
 * proportion to the heap.
 *
 * A collection is due when the nodes allocated since the last one, less the nodes freed, exceed two limits: the first
 * threshold, and a quarter of the survivors of the last collection. CPython decides on full collections by the same
 * rule. So a growing heap costs amortised linear time.
 */

import type { HeapState } from '../heap-state.js';
import { OLDEST } from '../memory/generation-lists.js';

/**
 * Adds the allocations of generation 0 to the pending ones. Returns true if they are enough for the size of the heap.
 */
export function isTracingDue(state: HeapState): boolean {
  const { counts } = state;
  state.longLivedPending += counts[0];
  counts[0] = 0;
  return state.hasManyPending();
}

/** Records the survivors of a trace of the whole heap, which had `examined` nodes. */
export function recordSurvivors(state: HeapState, examined: number): void {
  const survivors = state.store.lists.length(OLDEST);
  state.counters.recordSurvivors(2, examined, survivors);
  state.longLivedPending = 0;
  state.longLivedTotal = survivors;
}
