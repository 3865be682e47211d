/**
 * The nodes of a snapshot that are alive by themselves. The root is the first. Some nodes have only weak retainers and are still
 * in the file: they die with the next collection, and count as roots until then.
 */
import { ScratchColumn } from '../../../core/scratch-column.js';
import { type GraphColumns, isStrong } from '../../../gc/views/dominator-tree.js';
import { IndexSet } from './index-set.js';

const ROOT = 0;

/** Gives the root, then nodes without strong retainers, then a node of each circle that nothing else reaches. O(edges). */
export function snapshotRoots(graph: GraphColumns): number[] {
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
  scratch.free();
  return roots;
}
