/** The frame of every collection: stops the mutator, reports the start and the stop, and counts. */

import { type CollectionResult, NOTHING_COLLECTED } from '../collection-result.js';
import type { HeapState } from '../heap-state.js';
import type { Generation } from '../memory/generation-lists.js';
import { printCollectionStart, printCollectionStop } from './debug-output.js';

/** Runs `body` as a collection in one piece, which is one pause. */
export function runCollection(
  state: HeapState,
  generation: Generation,
  body: () => CollectionResult,
): CollectionResult {
  return stopMutator(state, () => {
    const startedAt = state.clock.now();
    reportStart(state, generation);
    const result = body();
    const millis = state.clock.now() - startedAt;
    state.counters.pauses.record(millis);
    reportStop(state, generation, result, millis);
    return result;
  });
}

/** Runs a part of a collection. No other collection begins while it runs. */
export function stopMutator<T>(state: HeapState, body: () => T): T {
  state.collecting = true;
  try {
    return body();
  } finally {
    state.collecting = false;
  }
}

export function reportStart(state: HeapState, generation: Generation): void {
  printCollectionStart(state, generation);
  state.trace?.phase('start', generation);
  state.runCallbacks('start', { generation, ...NOTHING_COLLECTED });
}

/** Reports the end of a collection, which stopped the mutator for `millis` milliseconds. */
export function reportStop(
  state: HeapState,
  generation: Generation,
  result: CollectionResult,
  millis: number,
): void {
  printCollectionStop(state, result, millis);
  state.counters.recordCollection(generation, result);
  state.trace?.phase('stop', generation);
  state.runCallbacks('stop', { generation, ...result });
}
