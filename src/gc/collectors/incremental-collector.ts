/**
 * Mark and sweep in steps, so that no pause is longer than the budget of a step.
 *
 * A cycle begins when as much has been allocated as would start a tracing collection. From then on, one step runs each
 * time allocations exceed the first threshold. Every cycle ends: new nodes are born black, so each step leaves less to
 * mark.
 *
 * Each step is a pause. Statistics and callbacks count a whole cycle as one collection.
 */

import type { Collector, NodeColour, StepBudget } from '../collector.js';
import type { HeapState } from '../heap-state.js';
import { reportStart, reportStop, stopMutator } from './collection.js';
import { IncrementalCycle } from './incremental-cycle.js';
import { isTracingDue } from './tracing-trigger.js';
import type { UnreachableSet } from './unreachable-set.js';
import { WorkMeter } from './work-meter.js';

export class IncrementalCollector implements Collector {
  readonly name = 'incremental';
  readonly #state: HeapState;
  readonly #unreachableSet: UnreachableSet;
  readonly #budget: StepBudget;
  #cycle: IncrementalCycle | null = null;
  /** Duration of the steps of the current cycle so far. */
  #cycleMillis = 0;

  /** `budget` limits the steps that allocations run. */
  constructor(state: HeapState, unreachableSet: UnreachableSet, budget: StepBudget) {
    this.#state = state;
    this.#unreachableSet = unreachableSet;
    this.#budget = budget;
  }

  /** Whether a collection has begun and is not over. */
  get isRunning(): boolean {
    return this.#cycle !== null;
  }

  collectIfDue(): void {
    const isDue = isTracingDue(this.#state);
    if (this.#cycle === null && !isDue) return;
    if (this.#cycle === null) this.#state.counters.lastTrigger = 'threshold';
    this.#runStep(this.#budget);
  }

  /** Ends the current cycle, then runs a whole one. So no node survives that was unreachable before the call. */
  collect(): number {
    if (this.#state.collecting) return 0;
    this.#state.counters.lastTrigger = 'explicit';
    let found = 0;
    if (this.#cycle !== null) found += this.#runStep({});
    return found + this.#runStep({});
  }

  step(budget: StepBudget): 'done' | 'more' {
    if (this.#state.collecting) return this.#cycle === null ? 'done' : 'more';
    if (this.#cycle === null) this.#state.counters.lastTrigger = 'explicit';
    this.#runStep(budget);
    return this.#cycle === null ? 'done' : 'more';
  }

  colour(index: number): NodeColour | null {
    return this.#cycle?.colour(index) ?? null;
  }

  abandon(): void {
    const cycle = this.#cycle;
    if (cycle === null) return;
    cycle.abandon();
    this.#endCycle(cycle);
  }

  dispose(): void {
    this.#cycle = null;
  }

  /** Runs one step. Returns the number of nodes that the cycle found unreachable if it has ended, else 0. */
  #runStep(budget: StepBudget): number {
    const state = this.#state;
    return stopMutator(state, () => {
      const startedAt = state.clock.now();
      const cycle = this.#cycle ?? this.#startCycle();
      const isDone = cycle.work(new WorkMeter(state.clock, budget));
      const millis = state.clock.now() - startedAt;
      this.#cycleMillis += millis;
      state.counters.steps++;
      state.counters.pauses.record(millis);
      if (!isDone || state.disposed) return 0;
      this.#endCycle(cycle);
      return cycle.result.collected + cycle.result.uncollectable;
    });
  }

  #startCycle(): IncrementalCycle {
    const state = this.#state;
    state.counts.fill(0);
    this.#cycleMillis = 0;
    reportStart(state, 2);
    const cycle = new IncrementalCycle(state, this.#unreachableSet);
    this.#cycle = cycle;
    state.barrier = cycle;
    return cycle;
  }

  #endCycle(cycle: IncrementalCycle): void {
    this.#cycle = null;
    this.#state.barrier = null;
    reportStop(this.#state, 2, cycle.result, this.#cycleMillis);
  }
}
