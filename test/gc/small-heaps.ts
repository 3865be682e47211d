import { type Handle, Heap } from '../../src/gc/index.js';

/** Builds a heap: list ⇒ item (twice), with a weak reference to the item. */
export function smallHeap(): { heap: Heap; list: Handle; item: Handle; weak: Handle } {
  const heap = new Heap();
  const list = heap.alloc({ kind: 'list', size: 56 });
  const item = heap.alloc({ kind: 'item' });
  heap.link(list, item);
  heap.link(list, item);
  heap.drop(item);
  heap.gc.collect(1);
  return { heap, list, item, weak: heap.weakref(item) };
}

/** Builds a heap of nodes that refer each to the next one. Only the first is held from outside. */
export function chain(length: number): { heap: Heap; nodes: Handle[] } {
  const heap = new Heap();
  const nodes = Array.from({ length }, () => heap.alloc());
  for (const [i, node] of nodes.slice(1).entries()) heap.link(nodes[i] as Handle, node);
  for (const node of nodes.slice(1)) heap.drop(node);
  return { heap, nodes };
}
