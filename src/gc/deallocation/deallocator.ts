/**
 * Reference counting: what happens when a count reaches 0, as CPython 3.11's `subtype_dealloc`, `PyObject_ClearWeakRefs`
 * and the trashcan do it, in their order, since finalizers and callbacks can see it.
 *
 * The trashcan bounds the depth of nested deallocations: below 50 of them a dying node is set aside on a stack, and freed
 * when the outermost deallocation ends. So a chain of a million nodes neither overflows the stack, here as there, nor is
 * freed in an order that CPython would not use.
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

/** Nested deallocations beyond which dying nodes are set aside. */
const TRASHCAN_DEPTH = 50;

export class Deallocator implements EdgeVisitor {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  readonly #edges: EdgeStore;
  readonly #lists: GenerationLists;
  readonly #weak: WeakReferences;
  readonly #bulk: BulkDeallocator;
  #nesting = 0;
  /** Nodes, and bundles of weak references, that are set aside. */
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

  /** Ends a reference; the node dies if it was the last. */
  decref(index: number): void {
    const { refcount } = this.#store;
    const left = (refcount[index] as number) - 1;
    refcount[index] = left;
    if (left > 0) return;
    if (this.#bulk.isAllowed()) this.#bulk.free(index);
    else this.#deallocate(index);
  }

  /** Frees all nodes of a list of trash at once, if nobody can tell in which order they die; else it does nothing. */
  freeInBulk(list: number): void {
    if (this.#bulk.isAllowed()) this.#bulk.freeList(list);
  }

  /** Adds a reference by the heap itself. */
  retain(index: number): void {
    this.incref(index);
    this.#state.ownReferences++;
  }

  /** Ends a reference by the heap itself. */
  release(index: number): void {
    this.#state.ownReferences--;
    this.decref(index);
  }

  /** Adds a reference by the heap itself that has to count for a collection which code of the user's may begin. */
  pin(index: number): void {
    this.retain(index);
    this.#pushPin(index);
  }

  unpin(index: number): void {
    this.#popPin();
    this.release(index);
  }

  /** Empties the node's edges, then ends their references, last to first. */
  clearEdges(index: number): void {
    this.#edges.drain(index, this);
  }

  /** Ends the reference of an edge that was removed. */
  visitEdge(source: number, target: number): void {
    this.#state.trace?.edge('edge-', source, target);
    this.decref(target);
  }

  /**
   * The same, but a target in this list does not die of it, not even without a reference: whoever empties the list sees to
   * that.
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

  /** Runs the node's finalizer. */
  runFinalizer(index: number): void {
    const state = this.#state;
    const finalizer = this.#store.hasFlag(index, FLAG_CALLABLE)
      ? state.callables[index]
      : undefined;
    if (finalizer === undefined) return;
    state.counters.finalizersRun++;
    state.trace?.node('finalize', index);
    state.call(finalizer, index, 'finalizer');
  }

  /** Calls a weak reference back, which is kept meanwhile. A reference is called back once. */
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

  /** Ends a deallocation; the outermost one empties the trashcan. */
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
    if (store.hasFlag(index, FLAG_CALLABLE) && index < callables.length)
      callables[index] = undefined;
    trace?.node('free', index);
    store.freeSlot(index);
    if (phantoms !== null) counters.phantomQueued += phantoms.enqueue(index);
  }

  /** True if the finalizer made somebody hold the node again; it then stays in the youngest generation. */
  #isResurrectedByFinalizer(index: number): boolean {
    if (this.#store.hasFlag(index, FLAG_FINALIZED)) return false;
    this.#beginResurrection(index);
    this.runFinalizer(index);
    this.#store.setFlag(index, FLAG_FINALIZED);
    return this.#endResurrection(index);
  }

  /** The same for a legacy finalizer, which runs every time. Weak references made meanwhile die silently. */
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
    this.#store.gcWord[index] = 0; // A collection may have it among its trash; it is not any more.
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

  /** Clears all weak references to a dying node and calls back those that are alive themselves, newest first. */
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

  /** Lets go of a bundle, last to first. It is a deallocation of its own: that of CPython's tuple. */
  #releaseBundle(bundle: readonly number[]): void {
    this.#nesting++;
    for (let i = bundle.length - 1; i >= 0; i--) this.unpin(bundle[i] as number);
    this.#endDeallocation();
  }

  #pushPin(index: number): void {
    this.#state.pinned.push(index);
    this.#state.barrier?.held(index);
  }

  /** Pins nest: the last one is the first to go. */
  #popPin(): void {
    this.#state.pinned.pop();
  }

  #isReferenced(index: number): boolean {
    return (this.#store.refcount[index] as number) > 0;
  }
}
