/**
 * Reference counting: what happens when a count reaches 0. Finalizers and callbacks can observe the steps and their
 * order. So both are those of CPython 3.11's `subtype_dealloc`, `PyObject_ClearWeakRefs` and trashcan.
 *
 * The trashcan bounds the depth of nested deallocations. Beyond 50 levels, a dying node is pushed on a stack, and freed
 * when the outermost deallocation ends. So a chain of a million nodes does not overflow the call stack. And the order
 * of frees is still CPython's.
 *
 * Source: Objects/typeobject.c, Objects/weakrefobject.c, Objects/object.c of CPython 3.11.
 */

import type { HeapState, NodeCallable } from '../heap-state.js';
import type { EdgeStore, EdgeVisitor } from '../memory/edge-store.js';
import { GENERATION_0, type GenerationLists } from '../memory/generation-lists.js';
import {
  FINALIZABLE,
  FLAG_CALLABLE,
  FLAG_FINALIZED,
  LEGACY,
  type NodeStore,
  PLAIN,
  WEAK,
} from '../memory/node-store.js';
import { BulkDeallocator } from './bulk-deallocator.js';
import type { WeakReferences } from './weak-references.js';

/** Number of nested deallocations from which dying nodes go to the trashcan. */
const TRASHCAN_DEPTH = 50;

export class Deallocator implements EdgeVisitor {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  readonly #edges: EdgeStore;
  readonly #lists: GenerationLists;
  readonly #weak: WeakReferences;
  readonly #bulk: BulkDeallocator;
  #nesting = 0;
  /** Nodes, and bundles of weak references, that wait for the outermost deallocation to end. */
  readonly #trashcan: (number | readonly number[])[] = [];

  constructor(state: HeapState, weak: WeakReferences) {
    this.#state = state;
    this.#store = state.store;
    this.#edges = state.store.edges;
    this.#lists = state.store.lists;
    this.#weak = weak;
    this.#bulk = new BulkDeallocator(state);
  }

  /** Adds a reference. */
  incref(index: number): void {
    const { refcount } = this.#store;
    refcount[index] = (refcount[index] as number) + 1;
  }

  /** Ends a reference. The node dies if that was its last one. */
  decref(index: number): void {
    const { refcount } = this.#store;
    const left = (refcount[index] as number) - 1;
    refcount[index] = left;
    if (left > 0) return;
    if (this.#bulk.isAllowed()) this.#bulk.free(index);
    else this.#deallocate(index);
  }

  /**
   * Frees all nodes of a list of unreachable nodes in bulk, if the order of deaths cannot be observed. Otherwise does
   * nothing.
   */
  freeInBulk(list: number): void {
    if (this.#bulk.isAllowed()) this.#bulk.freeList(list);
  }

  /** Adds a reference that the heap itself owns. */
  retain(index: number): void {
    this.incref(index);
    this.#state.ownReferences++;
  }

  /** Ends a reference that the heap itself owns. */
  release(index: number): void {
    this.#state.ownReferences--;
    this.decref(index);
  }

  /**
   * Adds a reference that the heap itself owns, and makes the node a root. Use it while user code runs, which may begin
   * a collection.
   */
  pin(index: number): void {
    this.retain(index);
    this.#pushPin(index);
  }

  unpin(index: number): void {
    this.#popPin();
    this.release(index);
  }

  /** Removes all edges of a node, then ends their references, last to first. */
  clearEdges(index: number): void {
    this.#edges.drain(index, this);
  }

  /** Ends the reference of an edge that was removed. */
  visitEdge(source: number, target: number): void {
    this.#state.trace?.edge('edge-', source, target);
    this.decref(target);
  }

  /**
   * Removes all edges of a node, then ends their references. A target in `list` stays alive even without a reference:
   * the caller deletes the nodes of that list later.
   */
  clearEdgesWithin(list: number, index: number): void {
    const { trace } = this.#state;
    const { refcount } = this.#store;
    const { listOf } = this.#lists;
    const targets = this.#edges.take(index);
    for (let i = targets.length - 1; i >= 0; i--) {
      const target = targets[i] as number;
      trace?.edge('edge-', index, target);
      if (listOf[target] === list) refcount[target] = (refcount[target] as number) - 1;
      else this.decref(target);
    }
  }

  /** Runs the finalizer of a node. */
  runFinalizer(index: number): void {
    const state = this.#state;
    const finalizer = this.#store.hasFlag(index, FLAG_CALLABLE)
      ? state.callables[index]
      : state.commonFinalizer;
    if (finalizer === undefined) return;
    state.counters.finalizersRun++;
    state.trace?.node('finalize', index);
    state.call(finalizer, index, 'finalizer');
  }

  /** Runs the callback of a weak reference, which stays alive meanwhile. A callback runs at most once. */
  runCallback(weak: number, callback: NodeCallable): void {
    const state = this.#state;
    state.callables[weak] = undefined;
    state.counters.weakCallbacks++;
    state.trace?.weakCallback(weak);
    this.pin(weak);
    state.call(callback, weak, 'weakref callback');
    this.unpin(weak);
  }

  #deallocate(index: number): void {
    this.#lists.remove(index);
    if (this.#nesting >= TRASHCAN_DEPTH) {
      this.#trashcan.push(index);
      return;
    }
    this.#nesting++;
    this.#destroy(index);
    this.#endDeallocation();
  }

  /** Ends a deallocation. The outermost one empties the trashcan. */
  #endDeallocation(): void {
    this.#nesting--;
    if (this.#nesting === 0 && this.#trashcan.length > 0) this.#emptyTrashcan();
  }

  #emptyTrashcan(): void {
    this.#nesting = 1;
    for (let next = this.#trashcan.pop(); next !== undefined; next = this.#trashcan.pop()) {
      if (typeof next === 'number') this.#deallocate(next);
      else this.#releaseBundle(next);
    }
    this.#nesting = 0;
  }

  #destroy(index: number): void {
    const store = this.#store;
    const type = store.type(index);
    if (type !== PLAIN) {
      if (type === FINALIZABLE && this.#isResurrectedByFinalizer(index)) return;
      if (type === WEAK) this.#weak.detach(index);
    }
    if (store.countByType[WEAK] !== 0 && type !== WEAK) this.#clearWeakReferences(index);
    if (type === LEGACY && this.#isResurrectedByLegacyFinalizer(index)) return;
    this.clearEdges(index);
    this.#free(index);
  }

  #free(index: number): void {
    const store = this.#store;
    const { counts, counters, callables, trace, phantoms } = this.#state;
    if (counts[0] > 0) counts[0]--;
    counters.recordFree(store.kindId(index), store.size(index));
    store.census?.recordDeath(index);
    if (store.hasFlag(index, FLAG_CALLABLE) && index < callables.length)
      callables[index] = undefined;
    trace?.node('free', index);
    store.freeSlot(index);
    if (phantoms !== null) counters.phantomQueued += phantoms.enqueue(index);
  }

  /**
   * Runs the finalizer of a dying node. Returns true if the finalizer resurrected the node, which then stays in the
   * youngest generation.
   */
  #isResurrectedByFinalizer(index: number): boolean {
    if (this.#store.hasFlag(index, FLAG_FINALIZED)) return false;
    this.#beginResurrection(index);
    this.runFinalizer(index);
    this.#store.setFlag(index, FLAG_FINALIZED);
    return this.#endResurrection(index);
  }

  /**
   * Runs the legacy finalizer of a dying node, which runs at each death. Returns true if it resurrected the node. Weak
   * references that the finalizer made die without a callback.
   */
  #isResurrectedByLegacyFinalizer(index: number): boolean {
    this.#beginResurrection(index);
    this.runFinalizer(index);
    if (this.#endResurrection(index)) return true;
    this.#weak.detachAll(index);
    return false;
  }

  #beginResurrection(index: number): void {
    this.#lists.append(GENERATION_0, index);
    this.#store.refcount[index] = 1;
    this.#store.gcWord[index] = 0; // A collection may list the node as unreachable.
    this.#state.ownReferences++;
    this.#pushPin(index);
  }

  #endResurrection(index: number): boolean {
    const { refcount } = this.#store;
    const left = (refcount[index] as number) - 1;
    refcount[index] = left;
    this.#state.ownReferences--;
    this.#popPin();
    if (left > 0) {
      this.#state.counters.resurrections++;
      this.#state.trace?.node('resurrect', index);
      return true;
    }
    this.#lists.remove(index);
    return false;
  }

  /** Clears all weak references to a dying node. Then runs the callbacks of those that are alive, newest first. */
  #clearWeakReferences(index: number): void {
    const weak = this.#weak;
    for (let dropped = 0; dropped < 2; dropped++) {
      const first = weak.first(index);
      if (first === 0 || weak.callback(first) !== undefined) break;
      weak.clear(first);
    }
    const first = weak.first(index);
    if (first === 0) return;
    if (weak.next(first) === 0) {
      const callback = weak.callback(first);
      weak.clear(first);
      if (callback !== undefined && this.#isReferenced(first)) this.runCallback(first, callback);
      return;
    }
    const bundle: number[] = [];
    for (const reference of weak.referencesTo(index)) {
      weak.clear(reference);
      if (!this.#isReferenced(reference)) continue;
      this.pin(reference);
      bundle.push(reference);
    }
    for (const [reference, callback] of bundle.map((one) => [one, weak.callback(one)] as const)) {
      if (callback !== undefined) this.runCallback(reference, callback);
    }
    if (this.#nesting >= TRASHCAN_DEPTH) this.#trashcan.push(bundle);
    else this.#releaseBundle(bundle);
  }

  /**
   * Ends the references of a bundle, last to first. This is a deallocation of its own, as that of CPython's tuple is.
   */
  #releaseBundle(bundle: readonly number[]): void {
    this.#nesting++;
    for (let i = bundle.length - 1; i >= 0; i--) this.unpin(bundle[i] as number);
    this.#endDeallocation();
  }

  #pushPin(index: number): void {
    this.#state.pinned.push(index);
    this.#state.barrier?.held(index);
  }

  /** Pins are nested, so the last one ends first. */
  #popPin(): void {
    this.#state.pinned.pop();
  }

  #isReferenced(index: number): boolean {
    return (this.#store.refcount[index] as number) > 0;
  }
}
