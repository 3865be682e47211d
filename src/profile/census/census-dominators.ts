/** The dominator tree of a census: who keeps what alive, and how much. */

import { OUTSIDE } from '../../gc/views/dominator-tree.js';
import type { RetainedSize } from '../../gc/views/dominators.js';
import type { HeapGraph } from './heap-graph.js';

/** Gives the node that a caller names. Throws for one that the heap does not have. */
export type Resolve = (handle: number) => number;

/**
 * The dominator tree of a heap. A node is the child of its immediate dominator: the nearest node without which it would die.
 * Nodes that no root reaches are not in the tree.
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 * import { census } from 'tenure/profile';
 *
 * const heap = new Heap();
 * const [cache, entry] = [heap.alloc({ kind: 'cache' }), heap.alloc({ kind: 'entry', size: 8 })];
 * heap.link(cache, entry);
 * heap.drop(entry);
 * const tree = census(heap).dominators();
 * tree.childrenOf(null).map((top) => tree.retained(top)); // => [{ nodes: 2, bytes: 8 }]
 * tree.childrenOf(cache)[0] === entry; // => true
 * ```
 */
export class DominatorTree {
  readonly #graph: HeapGraph;
  readonly #resolve: Resolve;
  /** First child of each number, and next child of the same dominator, by numbers of the tree. */
  #children: { first: Uint32Array; next: Uint32Array } | undefined;

  /** @internal */
  constructor(graph: HeapGraph, resolve: Resolve) {
    this.#graph = graph;
    this.#resolve = resolve;
  }

  /** Gives the immediate dominator of a node; `null` if no single node keeps it alive. O(1) after the first call. */
  dominatorOf(handle: number): number | null {
    const { tree, numberOf } = this.#graph.retention();
    const above = tree.dominator[numberOf[this.#resolve(handle)] as number] as number;
    return above === OUTSIDE ? null : this.#handleAt(above);
  }

  /**
   * Gives the children of a node, the one that retains most first; of `null`, the nodes that no single node keeps alive.
   * O(children · log children) after the first call.
   */
  childrenOf(handle: number | null): number[] {
    const { numberOf, bytes, nodes } = this.#graph.retention();
    const parent = handle === null ? OUTSIDE : (numberOf[this.#resolve(handle)] as number);
    if (handle !== null && parent === OUTSIDE) return [];
    const { first, next } = this.#knownChildren();
    const children: number[] = [];
    for (let v = first[parent] as number; v !== OUTSIDE; v = next[v] as number) children.push(v);
    children.sort(
      (a, b) =>
        (bytes[b] as number) - (bytes[a] as number) ||
        (nodes[b] as number) - (nodes[a] as number) ||
        a - b,
    );
    return children.map((v) => this.#handleAt(v));
  }

  /** Gives what would die with a node: the node, and all below it in the tree. O(1) after the first call. */
  retained(handle: number): RetainedSize {
    const { numberOf, nodes, bytes } = this.#graph.retention();
    const v = numberOf[this.#resolve(handle)] as number;
    return v === OUTSIDE
      ? { nodes: 0, bytes: 0 }
      : { nodes: nodes[v] as number, bytes: bytes[v] as number };
  }

  #handleAt(v: number): number {
    const { tree } = this.#graph.retention();
    return this.#graph.columns.handleOf(tree.vertexAt[v] as number);
  }

  #knownChildren(): { first: Uint32Array; next: Uint32Array } {
    if (this.#children === undefined) {
      const { dominator } = this.#graph.retention().tree;
      const first = new Uint32Array(dominator.length);
      const next = new Uint32Array(dominator.length);
      for (let v = dominator.length - 1; v > OUTSIDE; v--) {
        const above = dominator[v] as number;
        next[v] = first[above] as number;
        first[above] = v;
      }
      this.#children = { first, next };
    }
    return this.#children;
  }
}
