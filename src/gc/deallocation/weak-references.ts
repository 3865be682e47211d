/**
 * Weak references: nodes that lead to a target without a reference to it. The weak references to one target form a
 * list, which begins at the target. First is the reference without a callback that `weakref` shares. The others follow,
 * newest first.
 *
 * ```
 *   target ──chain──▶ shared ──chain──▶ newest ──chain──▶ … ──chain──▶ oldest
 *                        ◀────newer────    ◀────newer────    ◀──newer──
 * ```
 *
 * Most heaps have no weak references, so the first one allocates the columns.
 */

import type { HeapState, NodeCallable } from '../heap-state.js';
import { grownColumn } from '../memory/column.js';
import { FLAG_CALLABLE, FLAG_SHARED, type NodeStore, WEAK } from '../memory/node-store.js';

export class WeakReferences {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  /** Target of each weak reference, or 0 once the target is dead. */
  #target: Int32Array = new Int32Array(0);
  /** First reference to a target; next reference after a reference; or 0. */
  #chain: Int32Array = new Int32Array(0);
  /** Reference before a reference, or 0 if that is the target. */
  #newer: Int32Array = new Int32Array(0);

  constructor(state: HeapState) {
    this.#state = state;
    this.#store = state.store;
  }

  isWeak(index: number): boolean {
    return this.#store.type(index) === WEAK;
  }

  /** Returns the first reference to a node, or 0. */
  first(target: number): number {
    return target < this.#chain.length ? (this.#chain[target] as number) : 0;
  }

  /** Returns the reference after this one, or 0. */
  next(weak: number): number {
    return this.#chain[weak] as number;
  }

  /** Returns the references to a node, in the order of their list. */
  referencesTo(target: number): number[] {
    const references: number[] = [];
    for (let weak = this.first(target); weak !== 0; weak = this.next(weak)) references.push(weak);
    return references;
  }

  /** Returns the index of the target, or 0 if the target is dead or dying. */
  target(weak: number): number {
    const target = this.#target[weak] as number;
    return target !== 0 && (this.#store.refcount[target] as number) > 0 ? target : 0;
  }

  callback(weak: number): NodeCallable | undefined {
    return this.#store.hasFlag(weak, FLAG_CALLABLE) ? this.#state.callables[weak] : undefined;
  }

  /** Returns the live reference that `weakref` shares, or 0. */
  shared(target: number): number {
    const first = this.first(target);
    return first !== 0 &&
      this.#store.hasFlag(first, FLAG_SHARED) &&
      (this.#store.refcount[first] as number) > 0
      ? first
      : 0;
  }

  /** Makes the node `weak` a reference to `target`. */
  attach(weak: number, target: number, callback: NodeCallable | undefined, shared: boolean): void {
    this.#growToStore();
    const first = this.first(target);
    const after = !shared && first !== 0 && this.#store.hasFlag(first, FLAG_SHARED) ? first : 0;
    const chain = this.#chain;
    const newer = this.#newer;
    const older = chain[after === 0 ? target : after] as number;
    this.#target[weak] = target;
    chain[weak] = older;
    newer[weak] = after;
    if (older !== 0) newer[older] = weak;
    chain[after === 0 ? target : after] = weak;
    if (shared) this.#store.setFlag(weak, FLAG_SHARED);
    if (callback === undefined) return;
    this.#state.callables[weak] = callback;
    this.#store.setFlag(weak, FLAG_CALLABLE);
  }

  /** Clears the target of a reference. The callback stays. */
  clear(weak: number): void {
    const target = this.#target[weak] as number;
    if (target === 0) return;
    const older = this.#chain[weak] as number;
    const newer = this.#newer[weak] as number;
    this.#chain[newer === 0 ? target : newer] = older;
    if (older !== 0) this.#newer[older] = newer;
    this.#target[weak] = 0;
    this.#chain[weak] = 0;
    this.#newer[weak] = 0;
    this.#state.trace?.weakClear(weak, target);
  }

  /** Clears the target and the callback of a reference. */
  detach(weak: number): void {
    this.clear(weak);
    if (this.#store.hasFlag(weak, FLAG_CALLABLE)) this.#state.callables[weak] = undefined;
  }

  /** Clears all references to `target` and their callbacks, which do not run. */
  detachAll(target: number): void {
    for (let weak = this.first(target); weak !== 0; weak = this.first(target)) this.detach(weak);
  }

  #growToStore(): void {
    const { capacity } = this.#store;
    if (this.#target.length === capacity) return;
    this.#target = grownColumn(this.#target, capacity);
    this.#chain = grownColumn(this.#chain, capacity);
    this.#newer = grownColumn(this.#newer, capacity);
  }
}
