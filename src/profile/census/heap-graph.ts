/**
 * What follows from the columns of a heap: referrers, distances from the roots, dominators. Each is computed when it is first
 * asked for. All censuses of one moment share it.
 */
import {
  dominatorTree,
  isStrong,
  type DominatorTree as NumberedTree,
  OUTSIDE,
} from '../../gc/views/dominator-tree.js';
import type { CensusColumns } from '../census-source.js';
import { NodeSet } from './node-set.js';

/** Distance of a node that no root reaches. */
export const UNREACHED = -1;

/** Strong references by the node that they lead to: the sources from `first[node]` to before `first[node + 1]`. */
export interface Referrers {
  readonly first: Uint32Array;
  readonly sources: Uint32Array;
}

/** Immediate dominators, and what each node retains. */
export interface Retention {
  readonly tree: NumberedTree;
  /** Number of each node in the tree; 0 for a node that no root reaches. */
  readonly numberOf: Uint32Array;
  /** How many nodes would die with each number. Number 0 is the outside. */
  readonly nodes: Uint32Array;
  /** Their sizes, in bytes. */
  readonly bytes: Float64Array;
}

export class HeapGraph {
  readonly columns: CensusColumns;
  #referrers: Referrers | undefined;
  #distances: Int32Array | undefined;
  #retention: Retention | undefined;

  constructor(columns: CensusColumns) {
    this.columns = columns;
  }

  /** Gives the nodes that hold each node. O(edges) at first. */
  referrers(): Referrers {
    this.#referrers ??= referrersIn(this.columns);
    return this.#referrers;
  }

  /** Gives the least number of references from a root to each node; {@link UNREACHED} if there is no path. O(edges) at first. */
  distances(): Int32Array {
    this.#distances ??= distancesIn(this.columns, undefined);
    return this.#distances;
  }

  /** Gives what each node retains. O(edges · log nodes) at first. */
  retention(): Retention {
    this.#retention ??= retentionIn(this.columns);
    return this.#retention;
  }

  /** Gives the nodes that would die if all nodes of `group` lost their references. O(edges). */
  retainedBy(group: NodeSet): NodeSet {
    const before = this.distances();
    const without = distancesIn(this.columns, group);
    return NodeSet.where(
      this.columns.nodeCount,
      (node) => before[node] !== UNREACHED && without[node] === UNREACHED,
    );
  }

  /** Calls `visitor` with each strong reference of a node, and its index. */
  visitEdges(node: number, visitor: (target: number, edge: number) => void): void {
    visitEdges(this.columns, node, visitor);
  }
}

function visitEdges(
  { graph }: CensusColumns,
  node: number,
  visitor: (target: number, edge: number) => void,
): void {
  const end = graph.firstEdge[node + 1] as number;
  for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
    if (isStrong(graph, edge)) visitor(graph.targets[edge] as number, edge);
  }
}

function referrersIn(columns: CensusColumns): Referrers {
  const { nodeCount } = columns;
  const first = new Uint32Array(nodeCount + 2);
  // Counts one place too high, so that filling moves each start to its own place.
  for (let node = 0; node < nodeCount; node++) {
    visitEdges(columns, node, (target) => {
      first[target + 2] = (first[target + 2] as number) + 1;
    });
  }
  for (let node = 2; node < first.length; node++) {
    first[node] = (first[node] as number) + (first[node - 1] as number);
  }
  const sources = new Uint32Array(first[nodeCount + 1] as number);
  for (let node = 0; node < nodeCount; node++) {
    visitEdges(columns, node, (target) => {
      const place = first[target + 1] as number;
      first[target + 1] = place + 1;
      sources[place] = node;
    });
  }
  return { first, sources };
}

/** Searches breadth first from all roots, and enters no node of `barred`. */
function distancesIn(columns: CensusColumns, barred: NodeSet | undefined): Int32Array {
  const distances = new Int32Array(columns.nodeCount).fill(UNREACHED);
  const queue = new Uint32Array(columns.nodeCount);
  let end = 0;
  const reach = (node: number, distance: number): void => {
    if (distances[node] !== UNREACHED || barred?.has(node)) return;
    distances[node] = distance;
    queue[end++] = node;
  };
  for (const root of columns.roots) reach(root, 0);
  for (let at = 0; at < end; at++) {
    const node = queue[at] as number;
    visitEdges(columns, node, (target) => reach(target, (distances[node] as number) + 1));
  }
  return distances;
}

function retentionIn(columns: CensusColumns): Retention {
  const tree = dominatorTree(columns.graph, columns.roots);
  const { vertexAt, dominator } = tree;
  const numberOf = new Uint32Array(columns.nodeCount);
  const nodes = new Uint32Array(vertexAt.length);
  const bytes = new Float64Array(vertexAt.length);
  for (let v = vertexAt.length - 1; v > OUTSIDE; v--) {
    const node = vertexAt[v] as number;
    numberOf[node] = v;
    nodes[v] = (nodes[v] as number) + 1;
    bytes[v] = (bytes[v] as number) + columns.sizeOf(node);
    const above = dominator[v] as number;
    nodes[above] = (nodes[above] as number) + (nodes[v] as number);
    bytes[above] = (bytes[above] as number) + (bytes[v] as number);
  }
  return { tree, numberOf, nodes, bytes };
}
