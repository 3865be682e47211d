import type { Handle, Heap } from '../../src/gc/index.js';

/** Returns an unreachable node whose only reference is its own edge. */
export function unreachableLoop(heap: Heap): Handle {
  const node = heap.alloc();
  heap.link(node, node);
  heap.drop(node);
  return node;
}
