/**
 * When a tracing collector, which knows no generations, is due. Every collection costs as much as the heap is large. So that
 * a growing heap costs amortised linear time, there is one only when the nodes that were allocated since the last one, less those
 * that were freed, are a quarter of what survived it, and more than the first threshold: the rule by which CPython decides
 * on its full collections.
 */

import type { HeapState } from '../heap-state.js';
import { OLDEST } from '../memory/generation-lists.js';

/** Notes that the first threshold was passed; true if that has happened often enough for the size of the heap. */
export function isTracingDue(state: HeapState): boolean {
  const { counts } = state;
  state.longLivedPending += counts[0];
  counts[0] = 0;
  return state.longLivedPending >= Math.floor(state.longLivedTotal / 4);
}

/** Notes what survived a tracing of the whole heap, `examined` nodes. */
export function recordSurvivors(state: HeapState, examined: number): void {
  const survivors = state.store.lists.length(OLDEST);
  state.counters.recordSurvivors(2, examined, survivors);
  state.longLivedPending = 0;
  state.longLivedTotal = survivors;
}
