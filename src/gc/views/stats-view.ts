/** Composes the figures of a heap from its counters. */

import type { CollectorName } from '../collector.js';
import type { HeapState } from '../heap-state.js';
import type { HeapStats } from '../heap-stats.js';
import { GENERATION_0, OLDEST } from '../memory/generation-lists.js';
import { DEFAULT_KIND } from '../memory/kind-names.js';

/** Returns the figures of the heap at this moment. O(kinds). */
export function viewStats(state: HeapState, collector: CollectorName): HeapStats {
  const { counters, store, kinds, garbage, longLivedTotal, longLivedPending } = state;
  const liveByKind = new Map<string, number>();
  let named = 0;
  for (const [id, count = 0] of counters.liveByKind.entries()) {
    const kind = kinds.name(id);
    if (count > 0) liveByKind.set(kind, (liveByKind.get(kind) ?? 0) + count);
    named += count;
  }
  const unnamed = counters.live - named;
  const node = kinds.name(DEFAULT_KIND);
  if (unnamed > 0) liveByKind.set(node, (liveByKind.get(node) ?? 0) + unnamed);
  return {
    allocated: counters.allocated,
    freedByRefcount: counters.freed - counters.freedByCycle,
    freedByCycle: counters.freedByCycle,
    live: counters.live,
    peakLive: store.peakLive,
    bytesLive: counters.bytesLive,
    liveByKind,
    liveByGeneration: [
      store.lists.length(GENERATION_0),
      store.lists.length(GENERATION_0 + 1),
      store.lists.length(OLDEST),
    ],
    promoted: [...counters.promoted],
    survivalRate: [...counters.survivalRate],
    longLived: { total: longLivedTotal, pending: longLivedPending },
    uncollectable: counters.uncollectable,
    garbageLength: garbage.length,
    finalizersRun: counters.finalizersRun,
    resurrections: counters.resurrections,
    weakCallbacks: counters.weakCallbacks,
    phantomQueued: counters.phantomQueued,
    unraisable: counters.unraisable,
    pauses: {
      count: counters.pauses.count,
      totalMillis: counters.pauses.totalMillis,
      p50Millis: counters.pauses.percentile(0.5),
      p99Millis: counters.pauses.percentile(0.99),
      maxMillis: counters.pauses.maxMillis,
    },
    lastTrigger: counters.lastTrigger,
    collector: {
      name: collector,
      serialMarks: counters.serialMarks,
      parallelMarks: counters.parallelMarks,
      serialReason: counters.serialReason,
      markMillis: counters.markMillis,
      steps: counters.steps,
    },
  };
}
