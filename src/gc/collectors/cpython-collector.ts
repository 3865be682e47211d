/**
 * CPython 3.11's cycle collector, step for step. Reference counts free everything except cycles. The collector finds
 * unreachable cycles without knowing any root.
 *
 * Within the generations that it collects, it subtracts from each node's count the references that come from within. A
 * node with references left is referred to from outside. It is alive, and so is everything that it reaches.
 *
 * ```
 *   young ──update refs, subtract──▶ scan ──▶ survivors ──▶ older generation
 *                                     └─▶ unreachable ──▶ edges cleared, reference counting frees the nodes
 * ```
 *
 * The collector skips a full collection while few nodes have survived since the last one: less than a quarter of its
 * survivors. So a growing heap costs amortised linear time (Martin von Löwis, 2008).
 *
 * Source: Modules/gcmodule.c of CPython 3.11.
 */

import { type CollectionResult, NOTHING_COLLECTED } from '../collection-result.js';
import type { Collector } from '../collector.js';
import type { HeapState } from '../heap-state.js';
import {
  GENERATION_0,
  type Generation,
  type GenerationLists,
  OLDEST,
  UNREACHABLE,
} from '../memory/generation-lists.js';
import { runCollection } from './collection.js';
import { deduceUnreachable } from './deduce-unreachable.js';
import type { UnreachableSet } from './unreachable-set.js';

class CPythonCollector implements Collector {
  readonly name = 'cpython';
  readonly #state: HeapState;
  readonly #lists: GenerationLists;
  readonly #unreachableSet: UnreachableSet;

  constructor(state: HeapState, unreachableSet: UnreachableSet) {
    this.#state = state;
    this.#lists = state.store.lists;
    this.#unreachableSet = unreachableSet;
  }

  /** Collects the oldest generation whose count is over its threshold. Called after an allocation. */
  collectIfDue(): void {
    const { counts, thresholds } = this.#state;
    for (const generation of [2, 1, 0] as const) {
      if (counts[generation] <= thresholds[generation]) continue;
      if (generation === 2 && !this.#state.hasManyPending()) continue;
      this.#state.counters.lastTrigger = 'threshold';
      this.#collect(generation);
      return;
    }
  }

  collect(generation: Generation): number {
    if (this.#state.collecting) return 0;
    this.#state.counters.lastTrigger = 'explicit';
    const { collected, uncollectable } = this.#collect(generation);
    return collected + uncollectable;
  }

  step(): 'done' {
    this.collect(2);
    return 'done';
  }

  colour(): null {
    return null;
  }

  abandon(): void {}

  dispose(): void {}

  #collect(generation: Generation): CollectionResult {
    return runCollection(this.#state, generation, () => this.#run(generation));
  }

  #run(generation: Generation): CollectionResult {
    const { counts, counters, trace, store } = this.#state;
    const lists = this.#lists;
    if (generation < 2) counts[generation + 1] = (counts[generation + 1] as number) + 1;
    counts.fill(0, 0, generation + 1);

    const young = GENERATION_0 + generation;
    for (let list = GENERATION_0; list < young; list++) lists.merge(list, young);
    const old = generation < 2 ? young + 1 : OLDEST;

    const examined = lists.length(young);
    trace?.phase('find-unreachable', generation);
    deduceUnreachable(store, young, UNREACHABLE);
    const survivors = lists.length(young);
    counters.recordSurvivors(generation, examined, survivors);
    this.#promote(generation, survivors);
    if (survivors === examined) return NOTHING_COLLECTED;
    return this.#unreachableSet.collect(generation, old);
  }

  #promote(generation: Generation, survivors: number): void {
    const state = this.#state;
    state.trace?.promote(GENERATION_0 + generation, generation === 0 ? 1 : 2);
    if (generation === 2) {
      state.longLivedPending = 0;
      state.longLivedTotal = survivors;
      return;
    }
    if (generation === 1) state.longLivedPending += survivors;
    this.#lists.merge(GENERATION_0 + generation, GENERATION_0 + generation + 1);
  }
}

/** Makes the collector of a heap that bundles no other. */
export function makeCPythonCollector(state: HeapState, unreachableSet: UnreachableSet): Collector {
  return new CPythonCollector(state, unreachableSet);
}
