/**
 * Finds what keeps a node alive: the shortest path to it from a node that is held from outside or is in `gc.garbage`.
 * The search is breadth first, from all such nodes at once, so the first path found is the shortest. O(nodes and
 * edges).
 */
import type { HeapState } from '../heap-state.js';

/** Returns the indices on the path, from the root to `target`. Empty if nothing outside keeps the target alive. */
export function shortestPathFromRoot(state: HeapState, target: number): number[] {
  const { edges, end } = state.store;
  const UNVISITED = 0;
  /** The node from which each node was reached. A root is its own predecessor. */
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

/**
 * Returns the nodes that are held from outside or are in `gc.garbage`, each once. Held nodes come first, in memory
 * order.
 */
export function rootsOf({ store, garbage }: HeapState): number[] {
  const roots: number[] = [];
  store.visit((index) => {
    if ((store.holds[index] as number) > 0) roots.push(index);
  });
  return [...new Set([...roots, ...garbage])];
}
