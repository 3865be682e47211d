/**
 * Processes the nodes that a collector found unreachable. All collectors use it, in CPython 3.11's order:
 *
 * ```
 *   unreachable
 *    ├─▶ legacy finalizers, and what they reach ──▶ uncollectable
 *    ├─▶ weak references cleared, callbacks called
 *    ├─▶ finalizers called, once per node ever
 *    ├─▶ resurrected ──▶ alive again
 *    └─▶ final unreachable ──▶ deleted
 * ```
 *
 * The collector chooses how to delete: in CPython's order, by cascades of reference counts, or node by node.
 */

import type { CollectionResult } from '../collection-result.js';
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

/** Nodes that are still unreachable after all their finalizers and callbacks have run. */
export interface FinalUnreachable {
  /** List of the nodes to delete. */
  readonly list: number;
  /**
   * Number of nodes that count as collected: the nodes of the list, and weak references that died during `finalize`.
   */
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

  /** Collects the nodes in `UNREACHABLE` at once: finalizes them, and deletes those that are still unreachable. */
  collect(generation: Generation, old: number): CollectionResult {
    const { counters, trace } = this.#state;
    const { list, collected } = this.finalize(generation, old);
    const freedBefore = counters.freed;
    trace?.phase('delete', generation);
    this.#deleteAll(list, old);
    counters.freedByCycle += counters.freed - freedBefore;
    return { collected, uncollectable: this.keepUncollectable(old) };
  }

  /** Runs the finalizers and callbacks of the nodes in `UNREACHABLE`. Moves resurrected nodes to the list `old`. */
  finalize(generation: Generation, old: number): FinalUnreachable {
    const { counters, trace } = this.#state;
    this.#moveLegacyFinalizers();
    printCollectable(this.#state, UNREACHABLE);
    trace?.phase('clear-weak-references', generation);
    const callsBefore = counters.weakCallbacks + counters.finalizersRun;
    const deadReferences = this.#handleWeakReferences(old);
    trace?.phase('finalize', generation);
    this.#runFinalizers();
    // Only finalizers and callbacks can resurrect a node.
    const codeRan = counters.weakCallbacks + counters.finalizersRun > callsBefore;
    if (codeRan) trace?.phase('find-resurrected', generation);
    const list = codeRan ? this.#moveResurrected(old) : UNREACHABLE;
    return { list, collected: deadReferences + this.#lists.length(list) };
  }

  /**
   * Deletes the nodes of a list in CPython's order. Clearing the edges of one node can free others by reference count.
   */
  #deleteAll(list: number, old: number): void {
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
   * Deletes the first node of a list. If other nodes of the list still refer to it, moves it to `old`, and their
   * deletion frees it. Unlike in {@link collect}, no cascade runs through the list, so each call is short.
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

  /**
   * Moves uncollectable nodes to `old`. Adds those with a legacy finalizer to `gc.garbage`, or all of them with
   * `DEBUG_SAVEALL`. Returns the number of uncollectable nodes.
   */
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

  /**
   * Moves nodes with a legacy finalizer, and what they reach, to `UNCOLLECTABLE`. No order of their finalizers is known
   * to be safe.
   */
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

  /**
   * Clears all weak references of and to unreachable nodes, before any code of those nodes runs. Then runs callbacks of
   * references that are alive. Returns the number of references that died.
   */
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

  /** Moves resurrected nodes, and all that they reach, to `old`. Returns the list of the other nodes. */
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
