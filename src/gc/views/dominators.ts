/**
 * Dominators of a simulated heap: which node keeps which other node alive, and what would die with a node. A root is a node
 * that is held or in `gc.garbage`. Weak references are not edges.
 */
import type { HeapState } from '../heap-state.js';
import type { Handle } from '../memory/handle.js';
import { type DominatorTree, dominatorTree, OUTSIDE } from './dominator-tree.js';
import { rootsOf } from './reachability.js';

/** What would die with a node. */
export interface RetainedSize {
  /** Number of nodes, including the node itself; 0 for a node that waits to be collected. */
  readonly nodes: number;
  /** Sum of their sizes, in bytes. */
  readonly bytes: number;
}

/** Returns the immediate dominator of each node that is kept alive, or `null` if no single node keeps it alive. */
export function dominatorsOf(state: HeapState): Map<Handle, Handle | null> {
  const { vertexAt, dominator } = treeOf(state);
  const dominators = new Map<Handle, Handle | null>();
  for (let v = 1; v < vertexAt.length; v++) {
    const above = dominator[v] as number;
    dominators.set(
      state.handles.of(vertexAt[v] as number),
      above === OUTSIDE ? null : state.handles.of(vertexAt[above] as number),
    );
  }
  return dominators;
}

/** Returns what the node at `index` retains. */
export function retainedSizeOf(state: HeapState, index: number): RetainedSize {
  const { vertexAt, dominator } = treeOf(state);
  const nodes = new Int32Array(vertexAt.length).fill(1);
  const bytes = new Float64Array(vertexAt.length);
  for (let v = vertexAt.length - 1; v > OUTSIDE; v--) {
    bytes[v] = (bytes[v] as number) + state.store.size(vertexAt[v] as number);
    if (vertexAt[v] === index) return { nodes: nodes[v] as number, bytes: bytes[v] as number };
    const above = dominator[v] as number;
    nodes[above] = (nodes[above] as number) + (nodes[v] as number);
    bytes[above] = (bytes[above] as number) + (bytes[v] as number);
  }
  return { nodes: 0, bytes: 0 };
}

function treeOf(state: HeapState): DominatorTree {
  const { store } = state;
  const firstEdge = new Uint32Array(store.end + 1);
  const targets: number[] = [];
  for (let index = 0; index < store.end; index++) {
    firstEdge[index] = targets.length;
    for (let place = 0; place < store.edges.count(index); place++) {
      targets.push(store.edges.at(index, place));
    }
  }
  firstEdge[store.end] = targets.length;
  return dominatorTree({ firstEdge, targets: Uint32Array.from(targets) }, rootsOf(state));
}
