/**
 * Reference counting: what happens when a count reaches 0, as CPython 3.11's `subtype_dealloc`, `PyObject_ClearWeakRefs` and
 * the trashcan do it, in their order, since finalizers and callbacks can see it.
 *
 * The trashcan bounds the depth of nested deallocations: below 50 of them a dying node is set aside on a stack, and freed when
 * the outermost deallocation ends. So a chain of a million nodes neither overflows the stack, here as there, nor is freed in
 * an order that CPython would not use.
 *
 * Source: Objects/typeobject.c, Objects/weakrefobject.c, Objects/object.c of CPython 3.11.
 */
import type { HeapState, NodeCallback } from './heap-state.js';
import {
  FINALIZABLE,
  FLAG_CALLABLE,
  FLAG_FINALIZED,
  GENERATION_0,
  KIND_MASK,
  LEGACY,
  type NodeStore,
  WEAK,
} from './node-store.js';
import type { WeakReferences } from './weak-references.js';

/** Nested deallocations beyond which dying nodes are set aside. */
const TRASHCAN_DEPTH = 50;

export class Deallocator {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  readonly #weak: WeakReferences;
  #nesting = 0;
  /** Nodes, and bundles of holds, that are set aside. */
  readonly #later: (number | readonly number[])[] = [];

  constructor(state: HeapState, weak: WeakReferences) {
    this.#state = state;
    this.#store = state.store;
    this.#weak = weak;
  }

  /** Adds a reference from outside the heap. */
  hold(index: number): void {
    this.reference(index);
    this.#state.holds++;
  }

  /** Ends a reference from outside the heap. */
  drop(index: number): void {
    this.#state.holds--;
    this.unreference(index);
  }

  /** Adds an edge's reference. */
  reference(index: number): void {
    const { refcount } = this.#store;
    refcount[index] = (refcount[index] as number) + 1;
  }

  /** Ends an edge's reference; the node dies if it was the last. */
  unreference(index: number): void {
    const { refcount } = this.#store;
    const left = (refcount[index] as number) - 1;
    refcount[index] = left;
    if (left === 0) this.#deallocate(index);
  }

  /** Empties the node's edges, then ends their references, last to first. */
  clearEdges(index: number): void {
    const store = this.#store;
    const count = store.edgeCount[index] as number;
    if (count > 2) {
      const targets = store.takeEdges(index);
      for (let place = count - 1; place >= 0; place--) this.unreference(targets[place] as number);
      return;
    }
    const first = store.edgeA[index] as number;
    const second = store.edgeB[index] as number;
    store.edgeCount[index] = 0;
    if (count === 2) this.unreference(second);
    if (count > 0) this.unreference(first);
  }

  #deallocate(index: number): void {
    this.#store.unlist(index);
    if (this.#nesting >= TRASHCAN_DEPTH) {
      this.#later.push(index);
      return;
    }
    this.#nesting++;
    this.#destroy(index);
    this.#leave();
  }

  /** Ends a deallocation; the outermost one empties the trashcan. */
  #leave(): void {
    this.#nesting--;
    if (this.#nesting === 0 && this.#later.length > 0) this.#emptyTrashcan();
  }

  #emptyTrashcan(): void {
    this.#nesting = 1;
    for (let next = this.#later.pop(); next !== undefined; next = this.#later.pop()) {
      if (typeof next === 'number') this.#deallocate(next);
      else this.#releaseBundle(next);
    }
    this.#nesting = 0;
  }

  #destroy(index: number): void {
    const store = this.#store;
    const kind = (store.flags[index] as number) & KIND_MASK;
    if (kind === FINALIZABLE && this.#resurrectedByFinalizer(index)) return;
    if (kind === WEAK) this.#weak.detach(index);
    else {
      if (store.weakHead[index] !== 0) this.#killWeakReferences(index);
      if (kind === LEGACY && this.#resurrectedByLegacyFinalizer(index)) return;
      if (store.edgeCount[index] !== 0) this.clearEdges(index);
    }
    this.#free(index);
  }

  #free(index: number): void {
    const store = this.#store;
    const { counts, counters } = this.#state;
    if (counts[0] > 0) counts[0]--;
    const name = store.kindName[index] as number;
    counters.freed++;
    counters.liveByKind[name] = (counters.liveByKind[name] as number) - 1;
    if (((store.flags[index] as number) & FLAG_CALLABLE) !== 0) this.#forgetCallables(index);
    store.give(index);
  }

  #forgetCallables(index: number): void {
    const { finalizers, weakCallbacks } = this.#state;
    if (index < finalizers.length) finalizers[index] = undefined;
    if (index < weakCallbacks.length) weakCallbacks[index] = undefined;
  }

  /** True if the finalizer made somebody hold the node again; it then stays in the youngest generation. */
  #resurrectedByFinalizer(index: number): boolean {
    const { store } = this.#state;
    if (((store.flags[index] as number) & FLAG_FINALIZED) !== 0) return false;
    this.#bringBack(index);
    this.finalize(index);
    store.flags[index] = (store.flags[index] as number) | FLAG_FINALIZED;
    return this.#stayed(index);
  }

  /** The same for a legacy finalizer, which runs every time. Weak references made meanwhile die silently. */
  #resurrectedByLegacyFinalizer(index: number): boolean {
    this.#bringBack(index);
    this.finalize(index);
    if (this.#stayed(index)) return true;
    this.#weak.clearAll(index);
    return false;
  }

  /** Runs the node's finalizer. */
  finalize(index: number): void {
    const state = this.#state;
    const finalizer = state.finalizers[index];
    if (finalizer === undefined) return;
    state.counters.finalizersRun++;
    state.guard('finalizer', () => finalizer(state.handle(index), state.heap));
  }

  /** Calls a weak reference back, which is held meanwhile. A reference is called back once. */
  callBack(weak: number, callback: NodeCallback): void {
    const state = this.#state;
    state.weakCallbacks[weak] = undefined;
    state.counters.weakCallbacks++;
    this.hold(weak);
    state.guard('weakref callback', () => callback(state.handle(weak), state.heap));
    this.drop(weak);
  }

  #bringBack(index: number): void {
    const { store } = this.#state;
    store.append(GENERATION_0, index);
    store.refcount[index] = 1;
    this.#state.holds++;
  }

  #stayed(index: number): boolean {
    const { store, counters } = this.#state;
    const left = (store.refcount[index] as number) - 1;
    store.refcount[index] = left;
    this.#state.holds--;
    if (left > 0) {
      counters.resurrections++;
      return true;
    }
    store.unlist(index);
    return false;
  }

  /** Clears all weak references to a dying node and calls back those that are alive themselves, newest first. */
  #killWeakReferences(index: number): void {
    const { store, weakCallbacks } = this.#state;
    for (let i = 0; i < 2; i++) {
      const head = store.weakHead[index] as number;
      if (head === 0 || weakCallbacks[head] !== undefined) break;
      this.#weak.clear(head);
    }
    const head = store.weakHead[index] as number;
    if (head === 0) return;
    if (store.edgeB[head] === 0) {
      const callback = weakCallbacks[head];
      this.#weak.clear(head);
      if (callback !== undefined && (store.refcount[head] as number) > 0) {
        this.callBack(head, callback);
      }
      return;
    }
    const bundle: number[] = [];
    const calls: (() => void)[] = [];
    for (let weak = head; weak !== 0; weak = store.weakHead[index] as number) {
      const callback = weakCallbacks[weak];
      if ((store.refcount[weak] as number) > 0) {
        this.hold(weak);
        bundle.push(weak);
        if (callback !== undefined) calls.push(() => this.callBack(weak, callback));
      }
      this.#weak.clear(weak);
    }
    for (const call of calls) call();
    this.#releaseBundleNested(bundle);
  }

  /** Ends the holds of one bundle, last to first. It is a deallocation of its own: CPython's tuple. */
  #releaseBundleNested(bundle: readonly number[]): void {
    if (this.#nesting >= TRASHCAN_DEPTH) {
      this.#later.push(bundle);
      return;
    }
    this.#releaseBundle(bundle);
  }

  #releaseBundle(bundle: readonly number[]): void {
    this.#nesting++;
    for (let i = bundle.length - 1; i >= 0; i--) this.drop(bundle[i] as number);
    this.#leave();
  }
}
