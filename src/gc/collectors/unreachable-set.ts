/**
 * What happens to the nodes that a collector found unreachable, whichever collector it was, in CPython 3.11's order:
 *
 * ```
 *   unreachable
 *    ├─▶ legacy finalizers, and what they reach ──▶ uncollectable
 *    ├─▶ weak references cleared, callbacks called
 *    ├─▶ finalizers called, once per node ever
 *    ├─▶ resurrected ──▶ alive again
 *    └─▶ trash
 * ```
 *
 * How trash is taken apart is up to the collector: in CPython's order, by cascades of reference counts, or node by node.
 */

import type { Deallocator } from '../deallocation/deallocator.js';
import type { WeakReferences } from '../deallocation/weak-references.js';
import { DEBUG_SAVEALL } from '../debug-flags.js';
import type { HeapState } from '../heap-state.js';
import type { Generation } from '../memory/generation-lists.js';
import {
  FINALIZED,
  type GenerationLists,
  PENDING_CALLBACKS,
  STILL_UNREACHABLE,
  UNCOLLECTABLE,
  UNREACHABLE,
} from '../memory/generation-lists.js';
import { FINALIZABLE, FLAG_FINALIZED, LEGACY, type NodeStore, WEAK } from '../memory/node-store.js';
import { printCollectable, printUncollectable } from './debug-output.js';
import { deduceUnreachable } from './deduce-unreachable.js';

/** What is left when all code of the unreachable nodes has run. */
export interface FinalUnreachable {
  /** The list of what is to be deleted. */
  readonly list: number;
  /** How many nodes count as collected: those in the list, and weak references that died meanwhile. */
  readonly collected: number;
}

export class UnreachableSet {
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

  /** Runs all code that the nodes in `UNREACHABLE` have. What it brings back goes to the list `old`. */
  finalize(generation: Generation, old: number): FinalUnreachable {
    const { counters, trace } = this.#state;
    this.#moveLegacyFinalizers();
    printCollectable(this.#state, UNREACHABLE);
    trace?.phase('clear-weak-references', generation);
    const callsBefore = counters.weakCallbacks + counters.finalizersRun;
    const deadReferences = this.#handleWeakReferences(old);
    trace?.phase('finalize', generation);
    this.#runFinalizers();
    // Where no code has run, nothing can have been resurrected.
    const codeRan = counters.weakCallbacks + counters.finalizersRun > callsBefore;
    if (codeRan) trace?.phase('find-resurrected', generation);
    const list = codeRan ? this.#moveResurrected(old) : UNREACHABLE;
    return { list, collected: deadReferences + this.#lists.length(list) };
  }

  /** Breaks the cycles in CPython's order; reference counting frees what they held together. */
  deleteAll(list: number, old: number): void {
    const lists = this.#lists;
    const store = this.#store;
    if (!this.#isSaveAll()) this.#deallocator.freeInBulk(list);
    for (let i = lists.first(list); i !== 0; i = lists.first(list)) {
      if (this.#isSaveAll()) this.#addToGarbage(i);
      else this.#deleteNode(i);
      if (lists.first(list) !== i) continue;
      store.gcWord[i] = 0;
      lists.move(old, i);
    }
  }

  /**
   * Takes the first node of the list out of it, frees it or, while others in the list refer to it, leaves that to them. Unlike
   * with `breakUpAll`, a node does not die before its turn, so no cascade runs through the list, and each turn is short.
   */
  deleteFirst(list: number, old: number): void {
    const store = this.#store;
    const lists = this.#lists;
    const index = lists.first(list);
    if (this.#isSaveAll()) {
      this.#addToGarbage(index);
    } else {
      const deallocator = this.#deallocator;
      deallocator.retain(index);
      if (this.#weak.isWeak(index)) this.#weak.detach(index);
      else deallocator.clearEdgesWithin(list, index);
      deallocator.release(index);
      if (lists.listOf[index] !== list) return;
    }
    store.gcWord[index] = 0;
    lists.move(old, index);
  }

  /** Puts what cannot be collected into `gc.garbage`; returns how many nodes that are. */
  keepUncollectable(old: number): number {
    const lists = this.#lists;
    const uncollectable = lists.length(UNCOLLECTABLE);
    if (uncollectable === 0) return 0;
    printUncollectable(this.#state, UNCOLLECTABLE);
    lists.visit(UNCOLLECTABLE, (index) => {
      if (this.#isSaveAll() || this.#store.type(index) === LEGACY) this.#addToGarbage(index);
    });
    lists.merge(UNCOLLECTABLE, old);
    return uncollectable;
  }

  /** Nodes with a legacy finalizer, and what they reach, are not collected: nobody knows in which order to finalize them. */
  #moveLegacyFinalizers(): void {
    const store = this.#store;
    const lists = this.#lists;
    if (store.countByType[LEGACY] === 0) return;
    const setAside = (index: number): void => {
      store.gcWord[index] = 0;
      lists.move(UNCOLLECTABLE, index);
    };
    lists.visit(UNREACHABLE, (index) => {
      if (store.type(index) === LEGACY) setAside(index);
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
    if (store.countByType[WEAK] === 0) return 0;
    lists.visit(UNREACHABLE, (index) => {
      if (weak.isWeak(index)) {
        weak.clear(index);
        return;
      }
      for (const reference of weak.referencesTo(index)) {
        weak.clear(reference);
        if (weak.callback(reference) === undefined || store.isCollecting(reference)) continue;
        this.#deallocator.retain(reference);
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
      if (callback !== undefined) this.#deallocator.runCallback(reference, callback);
      this.#deallocator.release(reference);
      if (lists.first(PENDING_CALLBACKS) === reference) lists.move(old, reference);
      else died++;
    }
    return died;
  }

  #runFinalizers(): void {
    const store = this.#store;
    const lists = this.#lists;
    if (store.countByType[FINALIZABLE] === 0) return;
    for (let i = lists.first(UNREACHABLE); i !== 0; i = lists.first(UNREACHABLE)) {
      lists.move(FINALIZED, i);
      if (store.type(i) !== FINALIZABLE || store.hasFlag(i, FLAG_FINALIZED)) continue;
      store.setFlag(i, FLAG_FINALIZED);
      this.#deallocator.retain(i);
      this.#deallocator.runFinalizer(i);
      this.#deallocator.release(i);
    }
    lists.merge(FINALIZED, UNREACHABLE);
  }

  /** Moves what finalizers and callbacks brought back, and all it reaches, to `old`; returns the list of the rest. */
  #moveResurrected(old: number): number {
    deduceUnreachable(this.#store, UNREACHABLE, STILL_UNREACHABLE);
    this.#state.counters.resurrections += this.#lists.length(UNREACHABLE);
    this.#state.trace?.resurrected(UNREACHABLE);
    this.#lists.merge(UNREACHABLE, old);
    return STILL_UNREACHABLE;
  }

  #deleteNode(index: number): void {
    const deallocator = this.#deallocator;
    deallocator.retain(index);
    if (this.#weak.isWeak(index)) this.#weak.detach(index);
    else deallocator.clearEdges(index);
    deallocator.release(index);
  }

  #isSaveAll(): boolean {
    return (this.#state.debug & DEBUG_SAVEALL) !== 0;
  }

  #addToGarbage(index: number): void {
    this.#deallocator.retain(index);
    this.#state.garbage.push(index);
  }
}
