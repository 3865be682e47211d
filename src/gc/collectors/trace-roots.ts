/** Roots of a tracing collection: nodes that are held from outside the heap, and nodes that must not be collected. */

import type { HeapState } from '../heap-state.js';
import { FIRST_NODE, PERMANENT } from '../memory/generation-lists.js';

/** Returns true if the node in this slot is held from outside or frozen. */
export function isRootSlot({ store }: HeapState, index: number): boolean {
  return (store.holds[index] as number) > 0 || store.lists.listOf[index] === PERMANENT;
}

/** Returns the roots that the heap itself holds: `gc.garbage`, and the nodes that it works on. */
export function internalRoots({ garbage, pinned }: HeapState): number[] {
  return [...garbage, ...pinned];
}

/** Marks all roots and pushes them on the stack, which must have room for every node. Returns the number of roots. */
export function pushRoots(state: HeapState, marks: Uint8Array, stack: Int32Array): number {
  const { holds, end, lists } = state.store;
  let top = 0;
  const push = (index: number): void => {
    if (marks[index] !== 0) return;
    marks[index] = 1;
    stack[top++] = index;
  };
  for (let i = FIRST_NODE; i < end; i++) {
    if ((holds[i] as number) > 0) push(i);
  }
  lists.visit(PERMANENT, push);
  for (const index of internalRoots(state)) push(index);
  return top;
}
