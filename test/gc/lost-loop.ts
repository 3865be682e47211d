import type { Handle, Heap } from '../../src/gc/index.js';

/** A node that only it itself refers to. */
export function lostLoop(heap: Heap): Handle {
  const node = heap.alloc();
  heap.link(node, node);
  heap.drop(node);
  return node;
}
