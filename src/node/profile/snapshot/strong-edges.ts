/**
 * Which edges of a snapshot keep their target alive. The rules are those of Chromium's DevTools, so that retained sizes are
 * equal to the ones that it shows:
 *
 * - A weak edge keeps nothing alive, nor does an edge from a node to itself.
 * - A shortcut repeats a path. Only those of the root count: they lead to the global objects.
 * - A value of a WeakMap is held by its key. The table holds it as well, but without the key it would let go.
 * - What the application can reach is not retained by what only the engine or a debugger can reach.
 */

import { ScratchColumn } from '../../../core/scratch-column.js';
import type { Ephemerons } from './ephemerons.js';
import { IndexSet } from './index-set.js';
import type { SnapshotColumns } from './read-columns.js';
import type { StringTable } from './string-table.js';

const ROOT = 0;

/** Gives the set of edges that keep their target alive. */
export function strongEdges(
  columns: SnapshotColumns,
  strings: StringTable,
  ephemerons: Ephemerons,
): IndexSet {
  const { header, nodeIds, firstEdge, edgeTypes, edgeNames, targets } = columns;
  const weak = header.edgeTypes.indexOf('weak');
  const shortcut = header.edgeTypes.indexOf('shortcut');
  const internal = header.edgeTypes.indexOf('internal');
  const owned = reachableFromGlobals(columns, strings);
  const strong = new IndexSet(targets.length);
  for (let node = 0; node < header.nodeCount; node++) {
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge++) {
      const type = edgeTypes[edge];
      const target = targets[edge] as number;
      if (type === weak || target === node) continue;
      if (node !== ROOT && (type === shortcut || (owned.has(target) && !owned.has(node)))) continue;
      if (type === internal) {
        const pair = ephemerons.pairOf(edgeNames[edge] as number);
        if (pair !== 0 && ephemerons.tableOf(pair) === nodeIds[node]) continue;
      }
      strong.add(edge);
    }
  }
  return strong;
}

/** Gives the nodes that the global objects reach. */
function reachableFromGlobals(columns: SnapshotColumns, strings: StringTable): IndexSet {
  const { header, nodeNames, firstEdge, edgeTypes, targets } = columns;
  const weak = header.edgeTypes.indexOf('weak');
  const shortcut = header.edgeTypes.indexOf('shortcut');
  const element = header.edgeTypes.indexOf('element');
  const reached = new IndexSet(header.nodeCount);
  const scratch = new ScratchColumn(header.nodeCount);
  const stack = scratch.values;
  let depth = 0;
  const visit = (node: number): void => {
    if (reached.has(node)) return;
    reached.add(node);
    stack[depth++] = node;
  };
  for (let edge = firstEdge[ROOT] as number; edge < (firstEdge[ROOT + 1] as number); edge++) {
    const target = targets[edge] as number;
    const isDocuments =
      edgeTypes[edge] === element &&
      strings.get(nodeNames[target] as number) === '(Document DOM trees)';
    if (edgeTypes[edge] === shortcut || isDocuments) visit(target);
  }
  while (depth > 0) {
    const node = stack[--depth] as number;
    const end = firstEdge[node + 1] as number;
    for (let edge = firstEdge[node] as number; edge < end; edge++) {
      if (edgeTypes[edge] !== weak) visit(targets[edge] as number);
    }
  }
  scratch.free();
  return reached;
}
