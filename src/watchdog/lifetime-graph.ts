/**
 * What the program owns, laid out as a graph in a simulated heap. Components and running scopes are roots. Resources, cache
 * entries and loans are nodes. An edge leads from a holder to what it holds.
 *
 * ```
 *      (root)            (root)
 *   component           scope "GET /orders/:id"
 *    │      │              │
 *    ▼      ▼              ▼
 *  entry  resource ◀───── loan        the scope ends ⇒ the reference count of the loan drops to 0
 * ```
 *
 * Each node that is no root has one *owner*: the holder that it was allocated under or given to. A node records the index of
 * its owner's edge to it. When that edge is removed, the owner's last edge takes its place. Allocating and freeing a node are
 * therefore O(1), however many nodes the owner holds.
 */
import type { BaseHeap } from '../gc/base-heap.js';
import { type Handle, indexOfHandle } from '../gc/memory/handle.js';

/** A node of the graph. Its `handle` is stale once the simulated heap has freed it. */
export interface LifetimeNode {
  handle: Handle;
  /** The holder that it was allocated under or given to; `null` for a root, and once the owner has let go. */
  owner: LifetimeNode | null;
  /** Index of the owner's edge to this node; -1 without an owner. */
  ownerEdge: number;
}

export class LifetimeGraph {
  readonly heap: BaseHeap;
  /** The nodes by their slots in the heap. A freed node stays until another takes its slot, or it is removed. */
  readonly #bySlot: (LifetimeNode | undefined)[] = [];

  constructor(heap: BaseHeap) {
    this.heap = heap;
  }

  /** Gives the node with this handle; `undefined` if it is gone. O(1). */
  nodeOf(handle: Handle): LifetimeNode | undefined {
    const node = this.#bySlot[indexOfHandle(handle)];
    return node?.handle === handle ? node : undefined;
  }

  /** Adds a node that is held from outside the graph until {@link releaseRoot}. O(1). */
  allocateRoot(kind: string): LifetimeNode {
    return this.#added({ handle: this.heap.alloc({ kind }), owner: null, ownerEdge: -1 });
  }

  /** Ends the outside hold on a root. The nodes that only it held are freed with it. */
  releaseRoot(root: LifetimeNode): void {
    this.heap.drop(root.handle);
    this.#forget(root);
  }

  /**
   * Adds a node under `owner`. `onUnheld` is called once, within the heap, when no edge leads to the node any more; it may
   * save the node with {@link setOwner}. O(1).
   */
  allocate(
    kind: string,
    owner: LifetimeNode,
    onUnheld?: (node: LifetimeNode) => void,
  ): LifetimeNode {
    const handle = this.heap.alloc(
      onUnheld === undefined ? { kind } : { kind, finalizer: () => onUnheld(node) },
    );
    const node = this.#added<LifetimeNode>({ handle, owner: null, ownerEdge: -1 });
    this.setOwner(node, owner);
    this.heap.drop(handle);
    return node;
  }

  /**
   * Makes a record that has no node yet a node under `owner`. `onUnheld` is called with its handle once, within the heap, when no
   * edge leads to it any more. O(1).
   */
  allocateFor(
    node: LifetimeNode,
    kind: string,
    owner: LifetimeNode,
    onUnheld: (handle: Handle) => void,
  ): void {
    node.handle = this.heap.alloc({ kind, finalizer: onUnheld });
    this.#added(node);
    this.setOwner(node, owner);
    this.heap.drop(node.handle);
  }

  /** Puts a node without an owner under `owner`. O(1). */
  setOwner(node: LifetimeNode, owner: LifetimeNode): void {
    node.ownerEdge = this.reference(owner, node);
    node.owner = owner;
  }

  /** Adds an edge and returns its index. O(1). */
  reference(from: LifetimeNode, to: LifetimeNode): number {
    return this.heap.link(from.handle, to.handle);
  }

  /** Removes an edge that {@link reference} added; without effect if there is none. O(edges). */
  unreference(from: LifetimeNode, to: LifetimeNode): void {
    const edges = this.heap.edgeCount(from.handle);
    for (let edge = 0; edge < edges; edge++) {
      if (this.heap.edgeAt(from.handle, edge) !== to.handle || isOwnerEdge(from, to, edge))
        continue;
      this.#removeEdge(from, edge);
      return;
    }
  }

  /** Ends the owner's hold; the node is freed unless another node holds it. O(1). */
  removeOwner(node: LifetimeNode): void {
    const { owner, ownerEdge } = node;
    node.owner = null;
    node.ownerEdge = -1;
    if (owner !== null && this.heap.isAlive(owner.handle)) this.#removeEdge(owner, ownerEdge);
    if (!this.heap.isAlive(node.handle)) this.#forget(node);
  }

  #added<N extends LifetimeNode>(node: N): N {
    this.#bySlot[indexOfHandle(node.handle)] = node;
    return node;
  }

  #forget({ handle }: LifetimeNode): void {
    if (this.nodeOf(handle) !== undefined) this.#bySlot[indexOfHandle(handle)] = undefined;
  }

  /** Removes an edge. The last edge takes its place. */
  #removeEdge(from: LifetimeNode, edge: number): void {
    const { heap } = this;
    const last = heap.edgeCount(from.handle) - 1;
    if (edge !== last) {
      const moved = heap.edgeAt(from.handle, last);
      const node = this.nodeOf(moved);
      if (node !== undefined && isOwnerEdge(from, node, last)) node.ownerEdge = edge;
      heap.set(from.handle, edge, moved);
    }
    heap.unlink(from.handle, last);
  }
}

function isOwnerEdge(from: LifetimeNode, node: LifetimeNode, edge: number): boolean {
  return node.owner === from && node.ownerEdge === edge;
}
