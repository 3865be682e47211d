/**
 * Weak references: nodes that know a target without holding it. The references to one target form a list that begins at
 * the target, the newest first.
 *
 * ```
 *   target ──weakHead──▶ newest ──edgeB──▶ … ──edgeB──▶ oldest
 *                          ◀──weakHead──       ◀──weakHead──
 * ```
 */
import type { HeapState, NodeCallback } from './heap-state.js';
import { FLAG_CALLABLE, KIND_MASK, WEAK } from './node-store.js';

export class WeakReferences {
  readonly #state: HeapState;

  constructor(state: HeapState) {
    this.#state = state;
  }

  /** Makes the node `weak` refer to `target`. */
  attach(weak: number, target: number, callback: NodeCallback | undefined): void {
    const { store, weakCallbacks } = this.#state;
    const newest = store.weakHead[target] as number;
    store.edgeA[weak] = target;
    store.edgeB[weak] = newest;
    store.weakHead[weak] = 0;
    if (newest !== 0) store.weakHead[newest] = weak;
    store.weakHead[target] = weak;
    if (callback === undefined) return;
    weakCallbacks[weak] = callback;
    store.flags[weak] = (store.flags[weak] as number) | FLAG_CALLABLE;
  }

  /** Makes the reference dead, keeping its callback. */
  clear(weak: number): void {
    const { store } = this.#state;
    const target = store.edgeA[weak] as number;
    if (target === 0) return;
    const older = store.edgeB[weak] as number;
    const newer = store.weakHead[weak] as number;
    if (newer === 0) store.weakHead[target] = older;
    else store.edgeB[newer] = older;
    if (older !== 0) store.weakHead[older] = newer;
    store.edgeA[weak] = 0;
    store.edgeB[weak] = 0;
    store.weakHead[weak] = 0;
  }

  /** Makes the reference dead and forgets its callback. */
  detach(weak: number): void {
    this.clear(weak);
    const { store, weakCallbacks } = this.#state;
    if (((store.flags[weak] as number) & FLAG_CALLABLE) !== 0) weakCallbacks[weak] = undefined;
  }

  /** Makes all references to `target` dead, silently. */
  clearAll(target: number): void {
    const { store } = this.#state;
    for (let weak = store.weakHead[target]; weak; weak = store.weakHead[target]) this.detach(weak);
  }

  /** The target's index, or 0 if it is dead or dying. */
  target(weak: number): number {
    const { store } = this.#state;
    const target = store.edgeA[weak] as number;
    return target !== 0 && (store.refcount[target] as number) > 0 ? target : 0;
  }

  /** The references to a node, newest first. */
  of(target: number): number[] {
    const { store } = this.#state;
    const references: number[] = [];
    for (
      let weak = store.weakHead[target] as number;
      weak !== 0;
      weak = store.edgeB[weak] as number
    ) {
      references.push(weak);
    }
    return references;
  }

  /** A live reference without a callback, which another one without can share. */
  shareable(target: number): number {
    const { store, weakCallbacks } = this.#state;
    for (const weak of this.of(target)) {
      if (weakCallbacks[weak] === undefined && (store.refcount[weak] as number) > 0) return weak;
    }
    return 0;
  }

  isWeak(index: number): boolean {
    return ((this.#state.store.flags[index] as number) & KIND_MASK) === WEAK;
  }
}
