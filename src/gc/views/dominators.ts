/**
 * Which node keeps which alive. A node `d` dominates `n` if every path from what is held to `n` leads through `d`: once `d`
 * is let go of, `n` dies. The nearest such `d` is `n`'s immediate dominator, and all of these form a tree. What hangs below
 * a node in the tree is what it retains.
 *
 * ```
 *   (outside) ──▶ a ──▶ b ──▶ d        dominators:  a ── b        a retains all four;
 *                 └───▶ c ──▶ ┘                     ├─── c        neither b nor c retains d,
 *                                                   └─── d        for the other would keep it
 * ```
 *
 * The root of the tree is the outside: it has an edge to each node that is held, or in `gc.garbage`. Weak references are
 * no edges.
 *
 * Source: Thomas Lengauer and Robert Tarjan, *A Fast Algorithm for Finding Dominators in a Flowgraph*, TOPLAS 1(1), 1979:
 * its simpler version, O(edges · log nodes), with the recursions made loops since a heap may be one long chain. Vertices
 * are numbered as a depth-first search finds them, the outside being 0. A vertex's semidominator is the least one from which
 * a path leads to it through greater ones only; it is found from the greatest vertex to the least, with a forest in which
 * paths are compressed.
 */

import type { HeapState } from '../heap-state.js';
import type { Handle } from '../memory/handle.js';
import { rootsOf } from './reachability.js';

/** What would die with a node. */
export interface RetainedSize {
  /** How many nodes, itself included; 0 for a node that is only waiting to be collected. */
  readonly nodes: number;
  /** Their sizes together, in bytes. */
  readonly bytes: number;
}

const OUTSIDE = 0;
const UNVISITED = 0;

/** The tree, by number of depth-first search; numbers begin at 1, those of parents are less than their children's. */
interface DominatorTree {
  /** The node's index, by its number. */
  readonly nodeAt: readonly number[];
  /** The number of each one's immediate dominator; {@link OUTSIDE} for those that have none. */
  readonly dominator: Int32Array;
}

/** The immediate dominator of each node that is kept alive, `null` if no single node is. */
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

/** What the node at `index` retains. */
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
  /** Lists of the vertices with this semidominator whose dominator is still open. */
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
  /** By index; 0 for what was not found. */
  readonly numberOf: Int32Array;
  readonly parent: readonly number[];
}

/** Numbers what is kept alive, depth first. */
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

/** The edges that lead to each vertex, as lists: `first` by vertex, `next` and `source` by edge, from 1. */
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

/** The part of the search's tree that has been gone through, for the least semidominator on the path above a vertex. */
class CompressedForest {
  readonly #semi: Int32Array;
  /** -1 of a vertex that has not been linked, so the root of its tree. */
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

  /** The vertex with the least semidominator from `vertex` up to, and without, the root of its tree. */
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
