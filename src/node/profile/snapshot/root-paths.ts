/**
 * Shortest paths from the root to every node, breadth first: one edge per node leads back to the root. Paths through the
 * global objects come first, since a path through tables of the engine is shorter but explains nothing. The rules are those
 * of Chromium's DevTools:
 *
 * - Weak edges are not followed.
 * - Of the two edges to a value in a WeakMap, the later one counts.
 * - Links between the hidden classes of objects, and from a context to the map of functions, are not followed.
 */
import { ScratchColumn } from '../../../core/scratch-column.js';
import type { Ephemerons } from './ephemerons.js';
import { IndexSet } from './index-set.js';
import type { SnapshotColumns } from './read-columns.js';
import type { StringTable } from './string-table.js';

const ROOT = 0;

/** The edge by which a shortest path reaches each node, plus 1; 0 for the root and for nodes that no path reaches. */
export type ArrivalEdges = Uint32Array;

/** Finds the shortest paths to all nodes. O(edges). */
export function shortestPaths(
  columns: SnapshotColumns,
  strings: StringTable,
  ephemerons: Ephemerons,
): ArrivalEdges {
  return new PathSearch(columns, strings, ephemerons).run();
}

class PathSearch {
  readonly #columns: SnapshotColumns;
  readonly #strings: StringTable;
  readonly #ephemerons: Ephemerons;
  readonly #seenPairs: IndexSet;
  readonly #arrivals: ArrivalEdges;
  readonly #scratch: ScratchColumn;
  readonly #weak: number;
  readonly #internal: number;
  readonly #array: number;
  readonly #hidden: number;
  /** Name of the arrays that link hidden classes; -1 if there is none. */
  readonly #descriptors: number;
  readonly #nativeContext: number;

  constructor(columns: SnapshotColumns, strings: StringTable, ephemerons: Ephemerons) {
    const { header } = columns;
    this.#columns = columns;
    this.#strings = strings;
    this.#ephemerons = ephemerons;
    this.#seenPairs = new IndexSet(ephemerons.end);
    this.#arrivals = new Uint32Array(header.nodeCount);
    this.#scratch = new ScratchColumn(header.nodeCount);
    this.#weak = header.edgeTypes.indexOf('weak');
    this.#internal = header.edgeTypes.indexOf('internal');
    this.#array = header.nodeTypes.indexOf('array');
    this.#hidden = header.nodeTypes.indexOf('hidden');
    this.#descriptors = this.#nameOfNodes(this.#array, '(map descriptors)');
    this.#nativeContext = this.#nameOfNodes(this.#hidden, 'system / NativeContext');
  }

  run(): ArrivalEdges {
    const { header, nodeTypes, firstEdge, targets } = this.#columns;
    const synthetic = header.nodeTypes.indexOf('synthetic');
    const queue = this.#scratch.values;
    let globals = 0;
    for (let edge = firstEdge[ROOT] as number; edge < (firstEdge[ROOT + 1] as number); edge++) {
      const target = targets[edge] as number;
      if (nodeTypes[target] === synthetic || this.#arrivals[target] !== 0) continue;
      this.#arrivals[target] = edge + 1;
      queue[globals++] = target;
    }
    this.#search(globals);
    queue[0] = ROOT;
    this.#search(1);
    this.#scratch.free();
    return this.#arrivals;
  }

  /** Searches from the first `length` nodes of the queue. */
  #search(length: number): void {
    const { nodeTypes, firstEdge, targets } = this.#columns;
    const queue = this.#scratch.values;
    let end = length;
    for (let at = 0; at < end; at++) {
      const node = queue[at] as number;
      const type = nodeTypes[node];
      const isSpecial = type === this.#array || type === this.#hidden;
      const last = firstEdge[node + 1] as number;
      for (let edge = firstEdge[node] as number; edge < last; edge++) {
        const target = targets[edge] as number;
        if (target === ROOT || this.#arrivals[target] !== 0) continue;
        if (isSpecial && this.#linksHiddenClasses(node, edge)) continue;
        if (!this.#isFollowed(edge)) continue;
        this.#arrivals[target] = edge + 1;
        queue[end++] = target;
      }
    }
  }

  #isFollowed(edge: number): boolean {
    const { edgeTypes, edgeNames } = this.#columns;
    const type = edgeTypes[edge];
    if (type === this.#weak) return false;
    if (type !== this.#internal) return true;
    const pair = this.#ephemerons.pairOf(edgeNames[edge] as number);
    if (pair === 0 || this.#seenPairs.has(pair)) return true;
    this.#seenPairs.add(pair);
    return false;
  }

  #linksHiddenClasses(node: number, edge: number): boolean {
    const { nodeNames, edgeNames } = this.#columns;
    const name = edgeNames[edge] as number;
    if (nodeNames[node] === this.#descriptors) return name >= 2 && name % 3 === 1;
    return (
      nodeNames[node] === this.#nativeContext && this.#strings.get(name) === 'sloppy_function_map'
    );
  }

  /** Gives the index of the string `name` that names nodes of a type; -1 if there is none. */
  #nameOfNodes(type: number, name: string): number {
    const { nodeTypes, nodeNames } = this.#columns;
    const names = new IndexSet(this.#strings.size);
    for (let node = 0; node < nodeTypes.length; node++) {
      if (nodeTypes[node] === type) names.add(nodeNames[node] as number);
    }
    let found = -1;
    this.#strings.visit(names, (text, index) => {
      if (text === name) found = index;
    });
    return found;
  }
}
