/**
 * CPython 3.11's cycle collector, step for step (Modules/gcmodule.c). Reference counts free everything but cycles; the
 * collector finds those without knowing a single root. Within the generations being collected it subtracts from each node's
 * count the references that come from within. What is left over comes from outside, so it is alive, and with it all it
 * reaches.
 *
 * ```
 *   young ──update refs, subtract──▶ scan ──▶ survivors ──▶ older generation
 *                                     └─▶ unreachable
 *                                          ├─▶ legacy finalizers, and what they reach ──▶ uncollectable
 *                                          ├─▶ weak references cleared, callbacks called
 *                                          ├─▶ finalizers called, once per node ever
 *                                          ├─▶ resurrected ──▶ older generation
 *                                          └─▶ edges cleared: reference counting does the rest
 * ```
 *
 * A full collection is skipped while what has survived since the last one is less than a quarter of what survived it, so
 * that a growing heap costs amortised linear time (Martin von Löwis, 2008).
 */
import type { Deallocator } from './deallocator.js';
import { DEBUG_SAVEALL } from './debug-flags.js';
import {
  FINALIZED_TRASH,
  GENERATION_0,
  type GenerationLists,
  OLDEST,
  PENDING_CALLBACKS,
  STILL_UNREACHABLE,
  UNCOLLECTABLE,
  UNREACHABLE,
} from './generation-lists.js';
import type { HeapState } from './heap-state.js';
import { FINALIZABLE, FLAG_FINALIZED, LEGACY, type NodeStore, WEAK } from './node-store.js';
import { separateUnreachable } from './unreachable.js';
import type { WeakReferences } from './weak-references.js';

/** A generation, the youngest being 0. */
export type Generation = 0 | 1 | 2;

interface Result {
  readonly collected: number;
  readonly uncollectable: number;
}

const NOTHING: Result = { collected: 0, uncollectable: 0 };

export class CPythonCollector {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  readonly #lists: GenerationLists;
  readonly #deallocator: Deallocator;
  readonly #weak: WeakReferences;

  constructor(state: HeapState, deallocator: Deallocator, weak: WeakReferences) {
    this.#state = state;
    this.#store = state.store;
    this.#lists = state.store.lists;
    this.#deallocator = deallocator;
    this.#weak = weak;
  }

  /** Collects the oldest generation whose count is over its threshold, after an allocation. */
  collectIfDue(): void {
    const { counts, thresholds, longLivedPending, longLivedTotal } = this.#state;
    for (const generation of [2, 1, 0] as const) {
      if (counts[generation] <= thresholds[generation]) continue;
      if (generation === 2 && longLivedPending < Math.floor(longLivedTotal / 4)) continue;
      this.#state.counters.lastTrigger = 'threshold';
      this.#collect(generation);
      return;
    }
  }

  /** Collects a generation and all younger ones; returns how many nodes were found unreachable. */
  collect(generation: Generation): number {
    if (this.#state.collecting) return 0;
    this.#state.counters.lastTrigger = 'explicit';
    const { collected, uncollectable } = this.#collect(generation);
    return collected + uncollectable;
  }

  #collect(generation: Generation): Result {
    const state = this.#state;
    state.collecting = true;
    try {
      const startedAt = state.clock.now();
      state.trace?.phase('start', generation);
      state.tell('start', { generation, ...NOTHING });
      const result = this.#run(generation);
      state.counters.collected(generation, result, state.clock.now() - startedAt);
      state.trace?.phase('stop', generation);
      state.tell('stop', { generation, ...result });
      return result;
    } finally {
      state.collecting = false;
    }
  }

  #run(generation: Generation): Result {
    const { counts, counters, trace } = this.#state;
    const lists = this.#lists;
    if (generation < 2) counts[generation + 1] = (counts[generation + 1] as number) + 1;
    counts.fill(0, 0, generation + 1);

    const young = GENERATION_0 + generation;
    for (let list = GENERATION_0; list < young; list++) lists.merge(list, young);
    const old = generation < 2 ? young + 1 : OLDEST;

    const examined = lists.length(young);
    trace?.phase('find-unreachable', generation);
    separateUnreachable(this.#store, young, UNREACHABLE);
    const survivors = lists.length(young);
    counters.survived(generation, examined, survivors);
    this.#promote(generation, survivors);
    if (survivors === examined) return NOTHING;

    this.#setLegacyAside();
    trace?.phase('clear-weak-references', generation);
    const callsBefore = counters.weakCallbacks + counters.finalizersRun;
    const deadReferences = this.#handleWeakReferences(old);
    trace?.phase('finalize', generation);
    this.#runFinalizers();
    // Where no code has run, nothing can have been resurrected.
    const codeRan = counters.weakCallbacks + counters.finalizersRun > callsBefore;
    if (codeRan) trace?.phase('find-resurrected', generation);
    const trash = codeRan ? this.#setResurrectedAside(old) : UNREACHABLE;

    const collected = deadReferences + lists.length(trash);
    const freedBefore = counters.freed;
    trace?.phase('delete', generation);
    this.#deleteGarbage(trash, old);
    counters.freedByCycle += counters.freed - freedBefore;
    return { collected, uncollectable: this.#keepLegacy(old) };
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

  /** Nodes with a legacy finalizer, and what they reach, are not collected: nobody knows in which order to finalize them. */
  #setLegacyAside(): void {
    const store = this.#store;
    const lists = this.#lists;
    if (store.population[LEGACY] === 0) return;
    const setAside = (index: number): void => {
      store.gcWord[index] = 0;
      lists.move(UNCOLLECTABLE, index);
    };
    lists.visit(UNREACHABLE, (index) => {
      if (store.kind(index) === LEGACY) setAside(index);
    });
    for (
      let index = lists.first(UNCOLLECTABLE);
      index !== 0 && index !== UNCOLLECTABLE;
      index = lists.links[2 * index] as number
    ) {
      const targets = store.edges.targets(index);
      for (let i = targets.length - 1; i >= 0; i--) {
        const target = targets[i] as number;
        if (store.isCollecting(target)) setAside(target);
      }
    }
  }

  /** Clears every weak reference in and to the trash, before any of its code runs; returns how many died of it. */
  #handleWeakReferences(old: number): number {
    const store = this.#store;
    const lists = this.#lists;
    const weak = this.#weak;
    if (store.population[WEAK] === 0) return 0;
    lists.visit(UNREACHABLE, (index) => {
      if (weak.isWeak(index)) {
        weak.clear(index);
        return;
      }
      for (const reference of weak.of(index)) {
        weak.clear(reference);
        if (weak.callback(reference) === undefined || store.isCollecting(reference)) continue;
        this.#deallocator.borrow(reference);
        lists.move(PENDING_CALLBACKS, reference);
      }
    });
    let died = 0;
    for (
      let reference = lists.first(PENDING_CALLBACKS);
      reference !== 0;
      reference = lists.first(PENDING_CALLBACKS)
    ) {
      const callback = weak.callback(reference);
      if (callback !== undefined) this.#deallocator.callBack(reference, callback);
      this.#deallocator.release(reference);
      if (lists.first(PENDING_CALLBACKS) === reference) lists.move(old, reference);
      else died++;
    }
    return died;
  }

  #runFinalizers(): void {
    const store = this.#store;
    const lists = this.#lists;
    if (store.population[FINALIZABLE] === 0) return;
    for (let i = lists.first(UNREACHABLE); i !== 0; i = lists.first(UNREACHABLE)) {
      lists.move(FINALIZED_TRASH, i);
      if (store.kind(i) !== FINALIZABLE || store.has(i, FLAG_FINALIZED)) continue;
      store.raise(i, FLAG_FINALIZED);
      this.#deallocator.borrow(i);
      this.#deallocator.finalize(i);
      this.#deallocator.release(i);
    }
    lists.merge(FINALIZED_TRASH, UNREACHABLE);
  }

  /** Moves what finalizers and callbacks brought back, and all it reaches, to `old`; returns the list of the rest. */
  #setResurrectedAside(old: number): number {
    separateUnreachable(this.#store, UNREACHABLE, STILL_UNREACHABLE);
    this.#state.counters.resurrections += this.#lists.length(UNREACHABLE);
    this.#state.trace?.resurrected(UNREACHABLE);
    this.#lists.merge(UNREACHABLE, old);
    return STILL_UNREACHABLE;
  }

  /** Breaks the cycles; reference counting frees what they held together. */
  #deleteGarbage(trash: number, old: number): void {
    const lists = this.#lists;
    const store = this.#store;
    for (let i = lists.first(trash); i !== 0; i = lists.first(trash)) {
      if ((this.#state.debug & DEBUG_SAVEALL) !== 0) this.#toGarbage(i);
      else this.#breakUp(i);
      if (lists.first(trash) !== i) continue;
      store.gcWord[i] = 0;
      lists.move(old, i);
    }
  }

  #breakUp(index: number): void {
    const deallocator = this.#deallocator;
    deallocator.borrow(index);
    if (this.#weak.isWeak(index)) this.#weak.detach(index);
    else deallocator.clearEdges(index);
    deallocator.release(index);
  }

  #keepLegacy(old: number): number {
    const lists = this.#lists;
    const uncollectable = lists.length(UNCOLLECTABLE);
    const saveAll = (this.#state.debug & DEBUG_SAVEALL) !== 0;
    lists.visit(UNCOLLECTABLE, (index) => {
      if (saveAll || this.#store.kind(index) === LEGACY) this.#toGarbage(index);
    });
    lists.merge(UNCOLLECTABLE, old);
    return uncollectable;
  }

  #toGarbage(index: number): void {
    this.#deallocator.borrow(index);
    this.#state.garbage.push(index);
  }
}
