/**
 * Weak references: nodes that know a target without holding it. The references to one target form a list that begins at
 * the target. One without a callback that `weakref` hands out again is its first; the others follow, the newest first.
 *
 * ```
 *   target ──chain──▶ shared ──chain──▶ newest ──chain──▶ … ──chain──▶ oldest
 *                        ◀────newer────    ◀────newer────    ◀──newer──
 * ```
 *
 * The columns are made with the first weak reference: most heaps have none.
 */

import type { HeapState, NodeCallable } from '../heap-state.js';
import { grownColumn } from '../memory/column.js';
import { FLAG_CALLABLE, FLAG_SHARED, type NodeStore, WEAK } from '../memory/node-store.js';

export class WeakReferences {
  readonly #state: HeapState;
  readonly #store: NodeStore;
  /** What each weak reference refers to; 0 once that is dead. */
  #target: Int32Array = new Int32Array(0);
  /** Of a target its first reference, of a reference the one after it; or 0. */
  #chain: Int32Array = new Int32Array(0);
  /** Of a reference the one before it; 0 if that is the target. */
  #newer: Int32Array = new Int32Array(0);

  constructor(state: HeapState) {
    this.#state = state;
    this.#store = state.store;
  }

  isWeak(index: number): boolean {
    return this.#store.type(index) === WEAK;
  }

  /** The first reference to a node, or 0. */
  first(target: number): number {
    return target < this.#chain.length ? (this.#chain[target] as number) : 0;
  }

  /** The reference after this one, or 0. */
  next(weak: number): number {
    return this.#chain[weak] as number;
  }

  /** The references to a node, in their list's order. */
  referencesTo(target: number): number[] {
    const references: number[] = [];
    for (let weak = this.first(target); weak !== 0; weak = this.next(weak)) references.push(weak);
    return references;
  }

  /** The target's index, or 0 if it is dead or dying. */
  target(weak: number): number {
    const target = this.#target[weak] as number;
    return target !== 0 && (this.#store.refcount[target] as number) > 0 ? target : 0;
  }

  callback(weak: number): NodeCallable | undefined {
    return this.#store.hasFlag(weak, FLAG_CALLABLE) ? this.#state.callables[weak] : undefined;
  }

  /** A live reference that is there to be shared, or 0. */
  shared(target: number): number {
    const first = this.first(target);
    return first !== 0 &&
      this.#store.hasFlag(first, FLAG_SHARED) &&
      (this.#store.refcount[first] as number) > 0
      ? first
      : 0;
  }

  /** Makes the node `weak` refer to `target`. */
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

  /** Makes the reference dead, keeping its callback. */
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

  /** Makes the reference dead and forgets its callback. */
  detach(weak: number): void {
    this.clear(weak);
    if (this.#store.hasFlag(weak, FLAG_CALLABLE)) this.#state.callables[weak] = undefined;
  }

  /** Makes all references to `target` dead, silently. */
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
