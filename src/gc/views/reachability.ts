/**
 * Who keeps a node alive: the shortest path to it from a node that is held from outside the heap, or by `gc.garbage`.
 * Breadth first, from all such nodes at once, so the first path found is the shortest. O(nodes and edges).
 */
import type { HeapState } from '../heap-state.js';

/** The indices on the path, from the root to `target`; empty if nothing outside keeps it alive. */
export function shortestPathFromRoot(state: HeapState, target: number): number[] {
  const { edges, end } = state.store;
  const UNVISITED = 0;
  /** Where each node was reached from; a root from itself. */
  const predecessor = new Int32Array(end);
  const queue = rootsOf(state);
  for (const root of queue) predecessor[root] = root;
  for (let i = 0; i < queue.length && predecessor[target] === UNVISITED; i++) {
    const source = queue[i] as number;
    const count = edges.count(source);
    for (let place = 0; place < count; place++) {
      const next = edges.at(source, place);
      if (predecessor[next] !== UNVISITED) continue;
      predecessor[next] = source;
      queue.push(next);
    }
  }
  if (predecessor[target] === UNVISITED) return [];
  const path = [target];
  for (let at = target; predecessor[at] !== at; ) {
    at = predecessor[at] as number;
    path.push(at);
  }
  return path.reverse();
}

/** The nodes that are held from outside, each once, in the order in which they lie. */
export function rootsOf({ store, garbage }: HeapState): number[] {
  const roots: number[] = [];
  store.visit((index) => {
    if ((store.holds[index] as number) > 0) roots.push(index);
  });
  return [...new Set([...roots, ...garbage])];
}
