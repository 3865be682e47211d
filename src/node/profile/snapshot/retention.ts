/**
 * Immediate dominators and retained sizes of a snapshot's nodes. Some nodes have only weak retainers, and are still in the
 * file. They hang below the root, as in Chromium's DevTools.
 */
import {
  dominatorTree,
  type GraphColumns,
  isStrong,
  OUTSIDE,
} from '../../../gc/views/dominator-tree.js';
import { IndexSet } from './index-set.js';
import { ScratchColumn } from './scratch-column.js';

const ROOT = 0;

/** What each node retains. */
export interface Retention {
  /** Immediate dominator of each node; the root has itself. */
  readonly dominators: Uint32Array;
  /** Retained size of each node, in bytes. */
  readonly retained: Float64Array;
}

/** Finds dominators and retained sizes. O(edges · log nodes). */
export function retentionOf(graph: GraphColumns, sizeOf: (node: number) => number): Retention {
  const size = graph.firstEdge.length - 1;
  const dominators = new Uint32Array(size);
  const retained = new Float64Array(size);
  const { vertexAt, dominator } = dominatorTree(graph, rootsOf(graph));
  for (let v = vertexAt.length - 1; v > OUTSIDE; v--) {
    const node = vertexAt[v] as number;
    retained[node] = (retained[node] as number) + sizeOf(node);
    if (node === ROOT) continue;
    const above = dominator[v] === OUTSIDE ? ROOT : (vertexAt[dominator[v] as number] as number);
    dominators[node] = above;
    retained[above] = (retained[above] as number) + (retained[node] as number);
  }
  return { dominators, retained };
}

/** Gives the root, then nodes without strong retainers, then one node of each circle that nothing else reaches. */
function rootsOf(graph: GraphColumns): number[] {
  const { firstEdge, targets } = graph;
  const size = firstEdge.length - 1;
  const hasRetainer = new IndexSet(size);
  for (let edge = 0; edge < targets.length; edge++) {
    if (isStrong(graph, edge)) hasRetainer.add(targets[edge] as number);
  }
  const reached = new IndexSet(size);
  const scratch = new ScratchColumn(size);
  const stack = scratch.values;
  const roots: number[] = [];
  const addRoot = (root: number): void => {
    if (reached.has(root)) return;
    roots.push(root);
    reached.add(root);
    stack[0] = root;
    for (let depth = 1; depth > 0; ) {
      const node = stack[--depth] as number;
      const end = firstEdge[node + 1] as number;
      for (let edge = firstEdge[node] as number; edge < end; edge++) {
        const target = targets[edge] as number;
        if (reached.has(target) || !isStrong(graph, edge)) continue;
        reached.add(target);
        stack[depth++] = target;
      }
    }
  };
  addRoot(ROOT);
  for (let node = 0; node < size; node++) if (!hasRetainer.has(node)) addRoot(node);
  for (let node = 0; node < size; node++) addRoot(node);
  scratch[Symbol.dispose]();
  return roots;
}
