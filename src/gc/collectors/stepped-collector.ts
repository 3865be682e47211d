/**
 * CPython's generations, with full collections in steps. Young generations are small, so they are collected at once. A full
 * collection visits the whole heap, so it runs as steps of the incremental collector, each within a budget.
 *
 * ```
 *   generation 0 or 1 is due ──▶ CPython's collection, at once
 *   generation 2 is due      ──▶ step ──▶ step ──▶ … ──▶ all survivors are in generation 2
 *                                 └── the program runs between two steps; young collections wait
 * ```
 *
 * A full collection is due by CPython's rule: generation 1 was collected more often than the threshold, and the nodes that
 * reached generation 2 since are a quarter of its survivors. A caller can also begin one with `step`.
 */
import type { Collector, NodeColour, StepBudget } from '../collector.js';
import type { HeapOptions } from '../heap-options.js';
import type { HeapState } from '../heap-state.js';
import type { Generation } from '../memory/generation-lists.js';
import { makeCPythonCollector } from './cpython-collector.js';
import { IncrementalCollector } from './incremental-collector.js';
import type { UnreachableSet } from './unreachable-set.js';

class SteppedCollector implements Collector {
  readonly name = 'cpython';
  readonly #state: HeapState;
  readonly #young: Collector;
  readonly #full: IncrementalCollector;
  readonly #budget: StepBudget;

  constructor(state: HeapState, unreachableSet: UnreachableSet, budget: StepBudget) {
    this.#state = state;
    this.#young = makeCPythonCollector(state, unreachableSet);
    this.#full = new IncrementalCollector(state, unreachableSet, budget);
    this.#budget = budget;
  }

  collectIfDue(): void {
    if (!this.#full.isRunning && !this.#isFullDue()) {
      this.#young.collectIfDue();
      return;
    }
    this.#state.counts[0] = 0;
    this.#state.counters.lastTrigger = 'threshold';
    this.#full.step(this.#budget);
  }

  collect(generation: Generation): number {
    if (generation === 2) return this.#full.collect();
    if (this.#full.isRunning || this.#isFullDue()) {
      this.#full.step(this.#budget);
      return 0;
    }
    return this.#young.collect(generation);
  }

  step(budget: StepBudget): 'done' | 'more' {
    return this.#full.step(budget);
  }

  colour(index: number): NodeColour | null {
    return this.#full.colour(index);
  }

  abandon(): void {
    this.#full.abandon();
  }

  dispose(): void {
    this.#full.dispose();
  }

  #isFullDue(): boolean {
    const { counts, thresholds } = this.#state;
    return counts[2] > thresholds[2] && this.#state.hasManyPending();
  }
}

/** Makes the collector of a heap whose full collections must not stop the program for long. */
export function makeSteppedCollector(
  state: HeapState,
  unreachableSet: UnreachableSet,
  options: HeapOptions,
): Collector {
  return new SteppedCollector(state, unreachableSet, options.step ?? { millis: 1 });
}
