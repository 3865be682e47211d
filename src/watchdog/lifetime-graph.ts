/**
 * The watchdog's picture of what the program owns, laid out in a simulated heap: components and scopes are held from
 * outside, resources, entries and loans are nodes, "who holds it" are edges.
 *
 * ```
 *      (held)            (held)
 *   component           scope "GET /orders/:id"
 *    │      │              │
 *    ▼      ▼              ▼
 *  entry  resource ◀───── loan        the scope ends ⇒ the loan's count drops to 0
 * ```
 *
 * Each node has one *keeper*, the holder it was born under or given to. A node's place among its keeper's edges is kept
 * with it, and the last edge is moved into the gap when it goes, so birth and death take O(1) however many siblings there are.
 */

import type { BaseHeap } from '../gc/base-heap.js';
import type { Handle } from '../gc/memory/handle.js';

/** A node of the graph. Its `handle` is stale once the simulated heap has freed it. */
export interface LifetimeNode {
  readonly handle: Handle;
  keeper: LifetimeNode | null;
  /** Index of the keeper's edge to this node. */
  place: number;
  /** The targets of this node's edges, in the heap's order; made when the first edge is. */
  targets: LifetimeNode[] | null;
}

export class LifetimeGraph {
  readonly heap: BaseHeap;

  constructor(heap: BaseHeap) {
    this.heap = heap;
  }

  /** A node held from outside the graph until {@link release}. */
  root(kind: string): LifetimeNode {
    return { handle: this.heap.alloc({ kind }), keeper: null, place: -1, targets: null };
  }

  /** Gives up the outside hold on a root. What only it held dies with it. */
  release(root: LifetimeNode): void {
    this.heap.drop(root.handle);
  }

  /** A node kept by `keeper`. `unheld` is called, once, when nothing holds the node any more. */
  born(kind: string, keeper: LifetimeNode, unheld?: (node: LifetimeNode) => void): LifetimeNode {
    const handle = this.heap.alloc(
      unheld === undefined ? { kind } : { kind, finalizer: () => unheld(node) },
    );
    const node: LifetimeNode = { handle, keeper: null, place: -1, targets: null };
    this.keep(node, keeper);
    this.heap.drop(handle);
    return node;
  }

  /** Puts a node that has no keeper under `keeper`; from within `unheld`, this is what saves it. */
  keep(node: LifetimeNode, keeper: LifetimeNode): void {
    node.place = this.reference(keeper, node);
    node.keeper = keeper;
  }

  /** Adds an edge and returns its index. */
  reference(from: LifetimeNode, to: LifetimeNode): number {
    this.heap.link(from.handle, to.handle);
    from.targets ??= [];
    return from.targets.push(to) - 1;
  }

  /** Removes an edge that {@link reference} added; without one, nothing happens. */
  unreference(from: LifetimeNode, to: LifetimeNode): void {
    const targets = from.targets ?? [];
    const place = targets.findIndex((target, i) => target === to && !isKeeping(from, to, i));
    if (place >= 0) this.#removeEdge(from, targets, place);
  }

  /** Ends the keeper's hold; the node is freed unless something else holds it. */
  unkeep(node: LifetimeNode): void {
    const { keeper, place } = node;
    node.keeper = null;
    node.place = -1;
    if (keeper?.targets && this.heap.isAlive(keeper.handle)) {
      this.#removeEdge(keeper, keeper.targets, place);
    }
  }

  #removeEdge(from: LifetimeNode, targets: LifetimeNode[], place: number): void {
    const last = targets.length - 1;
    const moved = targets.pop() as LifetimeNode;
    if (place !== last) {
      if (isKeeping(from, moved, last)) moved.place = place;
      targets[place] = moved;
      this.heap.set(from.handle, place, moved.handle);
    }
    this.heap.unlink(from.handle, last);
  }
}

function isKeeping(from: LifetimeNode, node: LifetimeNode, place: number): boolean {
  return node.keeper === from && node.place === place;
}
