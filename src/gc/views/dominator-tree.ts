/**
 * Dominators tell which vertex of a graph keeps which other vertex alive. A vertex `d` dominates `n` if every path from the
 * roots to `n` leads through `d`: if `d` dies, `n` dies too. The nearest such `d` is the immediate dominator of `n`. Immediate
 * dominators form a tree. A vertex retains everything below it in the tree.
 *
 * ```
 *   (outside) ──▶ a ──▶ b ──▶ d        dominators:  a ── b        a retains all four;
 *                 └───▶ c ──▶ ┘                     ├─── c        neither b nor c retains d,
 *                                                   └─── d        since the other keeps it alive
 * ```
 *
 * The root of the tree is a vertex for the outside. It has an edge to each root of the graph.
 *
 * The algorithm is the simpler version of Lengauer and Tarjan's, O(edges · log vertices). Its recursions are loops here,
 * since a heap may be one long chain. A depth-first search numbers the vertices, and the outside is 0. The
 * semidominator of a vertex is the least vertex from which a path leads to it through greater vertices only. The
 * algorithm finds semidominators from the greatest vertex to the least, in a forest whose paths it compresses.
 *
 * A snapshot of V8 has tens of millions of vertices, so memory is the limit: 24 bytes a vertex and 4 bytes an edge. Columns
 * are therefore used a second time when their first use is over; a second name says so where it happens.
 *
 * Source: Thomas Lengauer and Robert Tarjan, *A Fast Algorithm for Finding Dominators in a Flowgraph*, TOPLAS 1(1),
 * 1979.
 */

import { ScratchColumn } from '../../core/scratch-column.js';

/** A directed graph in columns. Its vertices are the integers from 0. */
export interface GraphColumns {
  /** Index of each vertex's first edge. One more than there are vertices: the last is the number of edges. */
  readonly firstEdge: Uint32Array;
  /** The vertex that each edge leads to. */
  readonly targets: Uint32Array;
  /** Bit set of the edges that keep their target alive. Absent if all of them do. */
  readonly strong?: Uint8Array;
}

/** Number of the vertex for the outside. */
export const OUTSIDE = 0;

/**
 * Dominator tree by numbers of the depth-first search. Numbers begin at 1, and a vertex has a greater number than its
 * dominator.
 */
export interface DominatorTree {
  /** The vertex of each number. */
  readonly vertexAt: Uint32Array;
  /** Number of the immediate dominator of each number, or {@link OUTSIDE}. */
  readonly dominator: Uint32Array;
}

/** Whether an edge of `graph` keeps its target alive. */
export function isStrong({ strong }: GraphColumns, edge: number): boolean {
  return strong === undefined || ((strong[edge >>> 3] as number) & (1 << (edge & 7))) !== 0;
}

/** Gives the dominator tree of the vertices that strong edges reach from `roots`. */
export function dominatorTree(graph: GraphColumns, roots: readonly number[]): DominatorTree {
  const { vertexAt, numberOf, parent, spare: semi } = depthFirstSearch(graph, roots);
  const count = vertexAt.length;
  const { first, sources } = predecessors(graph, roots, vertexAt, numberOf);
  const source = sources.values;
  for (let v = 0; v < count; v++) semi[v] = v;
  const label = new Uint32Array(count);
  const forest = new CompressedForest(semi, parent, label);
  /**
   * First of the vertices with this semidominator whose dominator is not known yet. Such a list is empty when its vertex
   * joins the forest, and no vertex has a label before.
   */
  const bucket = label;
  const dominator = numberOf.subarray(0, count); // The numbers are known as edges by now.
  const bucketNext = dominator; // A vertex leaves its list when its dominator is found.
  for (let w = count - 1; w > OUTSIDE; w--) {
    let least = w;
    for (let edge = first[w] as number; edge < (first[w + 1] as number); edge++) {
      const through = semi[forest.evaluate(source[edge] as number)] as number;
      if (through < least) least = through;
    }
    semi[w] = least;
    bucketNext[w] = bucket[least] as number;
    bucket[least] = w;
    const above = parent[w] as number;
    forest.link(w);
    for (let v = bucket[above] as number; v !== 0; ) {
      const next = bucketNext[v] as number;
      const u = forest.evaluate(v);
      dominator[v] = (semi[u] as number) < (semi[v] as number) ? u : above;
      v = next;
    }
    bucket[above] = 0;
  }
  sources.free();
  for (let w = 1; w < count; w++) {
    if (dominator[w] !== semi[w]) dominator[w] = dominator[dominator[w] as number] as number;
  }
  return { vertexAt, dominator };
}

interface Search {
  readonly vertexAt: Uint32Array;
  /** Number of each vertex; 0 for a vertex that was not visited. */
  readonly numberOf: Uint32Array;
  /** Number from which each number was visited. */
  readonly parent: Uint32Array;
  /** A column that the search no longer needs, with an element for each number. */
  readonly spare: Uint32Array;
}

function depthFirstSearch(graph: GraphColumns, roots: readonly number[]): Search {
  const { firstEdge, targets } = graph;
  const size = firstEdge.length - 1;
  const numberOf = new Uint32Array(size + 1);
  const vertexAt = new Uint32Array(size + 1);
  const parent = new Uint32Array(size + 1);
  /** The edge with which each vertex on the path goes on. */
  const nextEdge = new Uint32Array(size + 1);
  let count = 0;
  const enter = (vertex: number, from: number): number => {
    count++;
    numberOf[vertex] = count;
    vertexAt[count] = vertex;
    parent[count] = from;
    nextEdge[count] = firstEdge[vertex] as number;
    return count;
  };
  for (const root of roots) {
    if (numberOf[root] !== 0) continue;
    for (let v = enter(root, OUTSIDE); v !== OUTSIDE; ) {
      const end = firstEdge[(vertexAt[v] as number) + 1] as number;
      let edge = nextEdge[v] as number;
      while (edge < end && (!isStrong(graph, edge) || numberOf[targets[edge] as number] !== 0)) {
        edge++;
      }
      nextEdge[v] = edge + 1;
      v = edge < end ? enter(targets[edge] as number, v) : (parent[v] as number);
    }
  }
  return {
    numberOf,
    vertexAt: vertexAt.subarray(0, count + 1),
    parent: parent.subarray(0, count + 1),
    spare: nextEdge.subarray(0, count + 1),
  };
}

/** Gives the sources of the edges that lead to each number: from `first[v]` to before `first[v + 1]` in `sources`. */
function predecessors(
  graph: GraphColumns,
  roots: readonly number[],
  vertexAt: Uint32Array,
  numberOf: Uint32Array,
): { first: Uint32Array; sources: ScratchColumn } {
  const first = new Uint32Array(vertexAt.length + 1);
  const visit = (onEdge: (from: number, to: number) => void): void => {
    for (const root of roots) onEdge(OUTSIDE, numberOf[root] as number);
    for (let v = 1; v < vertexAt.length; v++) {
      const vertex = vertexAt[v] as number;
      const end = graph.firstEdge[vertex + 1] as number;
      for (let edge = graph.firstEdge[vertex] as number; edge < end; edge++) {
        if (isStrong(graph, edge)) onEdge(v, numberOf[graph.targets[edge] as number] as number);
      }
    }
  };
  visit((_, to) => {
    first[to] = (first[to] as number) + 1;
  });
  for (let v = 1; v < first.length; v++) {
    first[v] = (first[v] as number) + (first[v - 1] as number);
  }
  const sources = new ScratchColumn(first[first.length - 1] as number);
  const source = sources.values;
  visit((from, to) => {
    const place = (first[to] as number) - 1;
    first[to] = place;
    source[place] = from;
  });
  return { first, sources };
}

/**
 * The part of the search tree that is processed so far. Finds the least semidominator on the path above a vertex. Vertices
 * join from the greatest number to the least, so the least one that joined tells which others did.
 */
class CompressedForest {
  readonly #semi: Uint32Array;
  /** Parent of each vertex; once the vertex has joined, an ancestor nearer to the root of its tree. */
  readonly #ancestor: Uint32Array;
  readonly #label: Uint32Array;
  readonly #path: number[] = [];
  #leastJoined: number;

  /** Overwrites `parent` and `label` of the vertices that have joined. */
  constructor(semi: Uint32Array, parent: Uint32Array, label: Uint32Array) {
    this.#semi = semi;
    this.#ancestor = parent;
    this.#label = label;
    this.#leastJoined = semi.length;
  }

  link(vertex: number): void {
    this.#leastJoined = vertex;
    this.#label[vertex] = vertex;
  }

  /** Returns the vertex with the least semidominator, from `vertex` up to the root of its tree, without the root. */
  evaluate(vertex: number): number {
    const leastJoined = this.#leastJoined;
    if (vertex < leastJoined) return vertex;
    const semi = this.#semi;
    const ancestor = this.#ancestor;
    const least = this.#label;
    const path = this.#path;
    for (let v = vertex; (ancestor[v] as number) >= leastJoined; v = ancestor[v] as number) {
      path.push(v);
    }
    for (let v = path.pop(); v !== undefined; v = path.pop()) {
      const over = ancestor[v] as number;
      const candidate = least[over] as number;
      if ((semi[candidate] as number) < (semi[least[v] as number] as number)) least[v] = candidate;
      ancestor[v] = ancestor[over] as number;
    }
    return least[vertex] as number;
  }
}
