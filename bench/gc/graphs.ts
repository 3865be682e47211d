/** The graph that the benches of the heap work on, and their stopwatch. */
import type { Handle, Heap } from '../../src/gc/index.js';

/** Returns a Fisher-Yates shuffle by a linear congruential generator, with the numbers of on-cpython.py. */
function permutation(seed: number, length: number): Int32Array {
  const order = Int32Array.from({ length }, (_, i) => i);
  let state = seed;
  for (let i = length - 1; i > 0; i--) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const j = state % (i + 1);
    const swapped = order[i] as number;
    order[i] = order[j] as number;
    order[j] = swapped;
  }
  return order;
}

/** Allocates nodes with two edges each, in the order of two permutations, and holds all of them. */
export function graph(heap: Heap, length: number): Handle[] {
  const [first, second] = [permutation(1, length), permutation(2, length)];
  const nodes = Array.from({ length }, () => heap.alloc());
  for (const [i, node] of nodes.entries()) {
    heap.link(node, nodes[first[i] as number] as Handle);
    heap.link(node, nodes[second[i] as number] as Handle);
  }
  return nodes;
}

/** Runs the body, and returns how many milliseconds it took. */
export function timed(body: () => unknown): number {
  const start = performance.now();
  body();
  return performance.now() - start;
}
