/**
 * Who keeps a node alive: the shortest path to it from a node that is held from outside the heap. Breadth first, from all
 * such nodes at once, so the first path found is the shortest. O(nodes and edges).
 */
import { FLAG_LIVE, KIND_MASK, type NodeStore, WEAK } from './node-store.js';

/** The indices on the path, from the root to `target`; empty if nothing outside keeps it alive. */
export function shortestPathFromRoot(store: NodeStore, target: number): number[] {
  const cameFrom = new Map<number, number>();
  const queue = rootsOf(store);
  for (const root of queue) cameFrom.set(root, 0);
  for (let i = 0; i < queue.length && !cameFrom.has(target); i++) {
    const source = queue[i] as number;
    for (const next of edgesOf(store, source)) {
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, source);
      queue.push(next);
    }
  }
  const path: number[] = [];
  for (let at = cameFrom.has(target) ? target : 0; at !== 0; at = cameFrom.get(at) ?? 0) {
    path.unshift(at);
  }
  return path;
}

/** How many edges lead to each node, by index. */
export function countIncomingEdges(store: NodeStore): Int32Array {
  const incoming = new Int32Array(store.end);
  for (const index of liveNodes(store)) {
    for (const target of edgesOf(store, index)) {
      incoming[target] = (incoming[target] as number) + 1;
    }
  }
  return incoming;
}

/** The indices of all live nodes. */
export function* liveNodes(store: NodeStore): Generator<number> {
  for (let index = 0; index < store.end; index++) {
    if (((store.flags[index] as number) & FLAG_LIVE) !== 0) yield index;
  }
}

/** The targets of a node's strong edges, in order. */
export function* edgesOf(store: NodeStore, index: number): Generator<number> {
  if (((store.flags[index] as number) & KIND_MASK) === WEAK) return;
  for (let place = 0; place < (store.edgeCount[index] as number); place++) {
    yield store.edgeAt(index, place);
  }
}

/** Nodes with references that no edge accounts for. */
function rootsOf(store: NodeStore): number[] {
  const incoming = countIncomingEdges(store);
  const roots: number[] = [];
  for (const index of liveNodes(store)) {
    if ((store.refcount[index] as number) > (incoming[index] as number)) roots.push(index);
  }
  return roots;
}
