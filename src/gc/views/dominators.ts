/**
 * Dominators tell which node keeps which other node alive. A node `d` dominates `n` if every path from the roots to `n`
 * leads through `d`: if `d` dies, `n` dies too. The nearest such `d` is the immediate dominator of `n`. Immediate
 * dominators form a tree. A node retains everything below it in the tree.
 *
 * ```
 *   (outside) ──▶ a ──▶ b ──▶ d        dominators:  a ── b        a retains all four;
 *                 └───▶ c ──▶ ┘                     ├─── c        neither b nor c retains d,
 *                                                   └─── d        since the other keeps it alive
 * ```
 *
 * The root of the tree is a vertex for the outside. It has an edge to each node that is held or in `gc.garbage`. Weak
 * references are not edges.
 *
 * The algorithm is the simpler version of Lengauer and Tarjan's, O(edges · log nodes). Its recursions are loops here,
 * since a heap may be one long chain. A depth-first search numbers the vertices, and the outside is 0. The
 * semidominator of a vertex is the least vertex from which a path leads to it through greater vertices only. The
 * algorithm finds semidominators from the greatest vertex to the least, in a forest whose paths it compresses.
 *
 * Source: Thomas Lengauer and Robert Tarjan, *A Fast Algorithm for Finding Dominators in a Flowgraph*, TOPLAS 1(1),
 * 1979.
 */

import type { HeapState } from '../heap-state.js';
import type { Handle } from '../memory/handle.js';
import { rootsOf } from './reachability.js';

/** What would die with a node. */
export interface RetainedSize {
  /** Number of nodes, including the node itself; 0 for a node that waits to be collected. */
  readonly nodes: number;
  /** Sum of their sizes, in bytes. */
  readonly bytes: number;
}

const OUTSIDE = 0;
const UNVISITED = 0;

/**
 * Dominator tree by numbers of the depth-first search. Numbers begin at 1, and a parent's number is less than its
 * children's.
 */
interface DominatorTree {
  /** Index of each node, by its number. */
  readonly nodeAt: readonly number[];
  /** Number of each node's immediate dominator, or {@link OUTSIDE}. */
  readonly dominator: Int32Array;
}

/** Returns the immediate dominator of each node that is kept alive, or `null` if no single node keeps it alive. */
export function dominatorsOf(state: HeapState): Map<Handle, Handle | null> {
  const { nodeAt, dominator } = dominatorTree(state);
  const dominators = new Map<Handle, Handle | null>();
  for (let v = 1; v < nodeAt.length; v++) {
    const above = dominator[v] as number;
    dominators.set(
      state.handles.of(nodeAt[v] as number),
      above === OUTSIDE ? null : state.handles.of(nodeAt[above] as number),
    );
  }
  return dominators;
}

/** Returns what the node at `index` retains. */
export function retainedSizeOf(state: HeapState, index: number): RetainedSize {
  const { nodeAt, dominator } = dominatorTree(state);
  const nodes = new Int32Array(nodeAt.length).fill(1);
  const bytes = new Float64Array(nodeAt.length);
  for (let v = nodeAt.length - 1; v > OUTSIDE; v--) {
    bytes[v] = (bytes[v] as number) + state.store.size(nodeAt[v] as number);
    if (nodeAt[v] === index) return { nodes: nodes[v] as number, bytes: bytes[v] as number };
    const above = dominator[v] as number;
    nodes[above] = (nodes[above] as number) + (nodes[v] as number);
    bytes[above] = (bytes[above] as number) + (bytes[v] as number);
  }
  return { nodes: 0, bytes: 0 };
}

function dominatorTree(state: HeapState): DominatorTree {
  const { nodeAt, numberOf, parent } = depthFirstSearch(state);
  const count = nodeAt.length;
  const { first, next, source } = predecessors(state, nodeAt, numberOf);
  const semi = Int32Array.from({ length: count }, (_, v) => v);
  const dominator = new Int32Array(count);
  const forest = new CompressedForest(semi);
  /** Lists of the vertices with this semidominator whose dominator is not known yet. */
  const bucket = new Int32Array(count);
  const bucketNext = new Int32Array(count);
  for (let w = count - 1; w > OUTSIDE; w--) {
    for (let edge = first[w] as number; edge !== 0; edge = next[edge] as number) {
      const least = semi[forest.evaluate(source[edge] as number)] as number;
      if (least < (semi[w] as number)) semi[w] = least;
    }
    const at = semi[w] as number;
    bucketNext[w] = bucket[at] as number;
    bucket[at] = w;
    const above = parent[w] as number;
    forest.link(above, w);
    for (let v = bucket[above] as number; v !== 0; v = bucketNext[v] as number) {
      const u = forest.evaluate(v);
      dominator[v] = (semi[u] as number) < (semi[v] as number) ? u : above;
    }
    bucket[above] = 0;
  }
  for (let w = 1; w < count; w++) {
    if (dominator[w] !== semi[w]) dominator[w] = dominator[dominator[w] as number] as number;
  }
  return { nodeAt, dominator };
}

interface Search {
  readonly nodeAt: readonly number[];
  /** Number of each node, by index; 0 for a node that was not visited. */
  readonly numberOf: Int32Array;
  readonly parent: readonly number[];
}

/** Numbers the nodes that are kept alive, depth first. */
function depthFirstSearch(state: HeapState): Search {
  const { edges, end } = state.store;
  const numberOf = new Int32Array(end);
  const nodeAt = [0];
  const parent = [OUTSIDE];
  const path: number[] = [];
  const places: number[] = [];
  const enter = (index: number, from: number): void => {
    if (numberOf[index] !== UNVISITED) return;
    numberOf[index] = nodeAt.length;
    nodeAt.push(index);
    parent.push(from);
    path.push(index);
    places.push(0);
  };
  for (const root of rootsOf(state)) {
    enter(root, OUTSIDE);
    while (path.length > 0) {
      const index = path[path.length - 1] as number;
      const place = places[places.length - 1] as number;
      if (place === edges.count(index)) {
        path.pop();
        places.pop();
        continue;
      }
      places[places.length - 1] = place + 1;
      enter(edges.at(index, place), numberOf[index] as number);
    }
  }
  return { nodeAt, numberOf, parent };
}

/** Returns the edges that lead to each vertex, as lists: `first` by vertex, `next` and `source` by edge, from 1. */
function predecessors(
  state: HeapState,
  nodeAt: readonly number[],
  numberOf: Int32Array,
): { first: Int32Array; next: number[]; source: number[] } {
  const { edges } = state.store;
  const first = new Int32Array(nodeAt.length);
  const next = [0];
  const source = [0];
  const add = (from: number, to: number): void => {
    next.push(first[to] as number);
    first[to] = source.length;
    source.push(from);
  };
  for (const root of rootsOf(state)) add(OUTSIDE, numberOf[root] as number);
  for (let v = 1; v < nodeAt.length; v++) {
    const index = nodeAt[v] as number;
    const count = edges.count(index);
    for (let place = 0; place < count; place++) add(v, numberOf[edges.at(index, place)] as number);
  }
  return { first, next, source };
}

/** The part of the search tree that is processed so far. Finds the least semidominator on the path above a vertex. */
class CompressedForest {
  readonly #semi: Int32Array;
  /** Parent of each vertex in the forest, or -1 for the root of a tree. */
  readonly #ancestor: Int32Array;
  readonly #label: Int32Array;
  readonly #path: number[] = [];

  constructor(semi: Int32Array) {
    this.#semi = semi;
    this.#ancestor = new Int32Array(semi.length).fill(-1);
    this.#label = semi.slice();
  }

  link(parent: number, vertex: number): void {
    this.#ancestor[vertex] = parent;
  }

  /** Returns the vertex with the least semidominator, from `vertex` up to the root of its tree, without the root. */
  evaluate(vertex: number): number {
    const ancestor = this.#ancestor;
    const least = this.#label;
    const path = this.#path;
    let above = ancestor[vertex] as number;
    if (above < 0) return vertex;
    for (let v = vertex; (ancestor[above] as number) >= 0; above = ancestor[v] as number) {
      path.push(v);
      v = above;
    }
    for (let v = path.pop(); v !== undefined; v = path.pop()) {
      const over = ancestor[v] as number;
      const candidate = least[over] as number;
      if (this.#semiOf(candidate) < this.#semiOf(least[v] as number)) least[v] = candidate;
      ancestor[v] = ancestor[over] as number;
    }
    return least[vertex] as number;
  }

  #semiOf(vertex: number): number {
    return this.#semi[vertex] as number;
  }
}
