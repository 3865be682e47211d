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
import { PagedArray } from '../core/paged-array.js';
import type { BaseHeap } from '../gc/base-heap.js';
import { type Handle, indexOfHandle } from '../gc/memory/handle.js';

/** A node of the graph. Its `handle` is stale once the simulated heap has freed it. */
export interface LifetimeNode {
  handle: Handle;
  /** The holder that it was allocated under or given to; `null` for a root, and once the owner has let go. */
  owner: LifetimeNode | null;
  /** Index of the owner's edge to this node; -1 without an owner. */
  ownerEdge: number;
  /** Whether it is held from outside the graph. */
  readonly isRoot?: boolean;
  /**
   * Whether it has been made, and owns what its maker has leased. Absent on a node that its component did not report before it was
   * whole.
   */
  isMade?: boolean;
  /** Since when its component disposes of it, in milliseconds. Absent before, and on a node that owns nothing. */
  endingSince?: number;
  /** Whether a lease on it may be out that has no node. Its component holds it then, as it holds one without leases. */
  hasUntrackedLease?: boolean;
}

export class LifetimeGraph {
  readonly heap: BaseHeap;
  /** The nodes by their slots in the heap. A freed node stays until another takes its slot, or it is removed. */
  readonly #bySlot = new PagedArray<LifetimeNode>();

  /** `unheld` is called with a node of {@link allocateFor} that no edge leads to any more. */
  constructor(heap: BaseHeap, unheld: (node: LifetimeNode) => void = () => {}) {
    this.heap = heap;
    heap.finalizeWith((handle) => {
      const node = this.nodeOf(handle);
      if (node !== undefined) unheld(node);
    });
  }

  /** Gives the node with this handle; `undefined` if it is gone. O(1). */
  nodeOf(handle: Handle): LifetimeNode | undefined {
    const node = this.#bySlot.get(indexOfHandle(handle));
    return node?.handle === handle ? node : undefined;
  }

  /** Adds a node of a class that is held from outside the graph until {@link releaseRoot}. O(1). */
  allocateRoot(classId: number): LifetimeNode {
    const handle = this.heap.allocOf(classId);
    return this.#added({ handle, owner: null, ownerEdge: -1, isRoot: true });
  }

  /** Ends the outside hold on a root. The nodes that only it held are freed with it. */
  releaseRoot(root: LifetimeNode): void {
    this.heap.drop(root.handle);
    this.#forget(root);
  }

  /** Gives the number of a kind at a site, for {@link allocate}. O(1). */
  classOf(kind: string, site: string = ''): number {
    return this.heap.classOf(kind, site);
  }

  /** Adds a node of a class under `owner`. O(1). */
  allocate(classId: number, owner: LifetimeNode): LifetimeNode {
    const handle = this.heap.allocOf(classId);
    return this.#placed({ handle, owner: null, ownerEdge: -1 }, owner);
  }

  /**
   * Makes a record that has no node yet a node of a class under `owner`. The graph tells within the heap when no edge leads to
   * it any more: once, and once more for each change of its owner. The listener may save the node with {@link setOwner}. O(1).
   */
  allocateFor(node: LifetimeNode, classId: number, owner: LifetimeNode): void {
    node.handle = this.heap.allocFinalizedOf(classId);
    this.#placed(node, owner);
  }

  /** Puts a node without an owner under `owner`. O(1). */
  setOwner(node: LifetimeNode, owner: LifetimeNode): void {
    node.ownerEdge = this.reference(owner, node);
    node.owner = owner;
  }

  /** Gives a node to another owner, without a moment in which no edge leads to it. O(1). */
  changeOwner(node: LifetimeNode, owner: LifetimeNode): void {
    const { owner: former, ownerEdge } = node;
    this.setOwner(node, owner);
    this.heap.finalizeAgain(node.handle);
    if (former !== null && this.heap.isAlive(former.handle)) this.#removeEdge(former, ownerEdge);
  }

  /** Gives all nodes that `owner` owns. O(edges). */
  nodesOwnedBy(owner: LifetimeNode): LifetimeNode[] {
    return this.#targetsOf(owner).filter((node) => node.owner === owner);
  }

  /** Gives all nodes that `from` owns to another owner, and gives these nodes. O(edges). */
  changeOwnerOfAll(from: LifetimeNode, owner: LifetimeNode): LifetimeNode[] {
    const owned = this.nodesOwnedBy(from);
    for (const node of owned) this.changeOwner(node, owner);
    return owned;
  }

  /**
   * Names the nodes from a root to a node, along the owners; a node without an owner is reached by another of its edges. Empty
   * for a node that is dead. O(depth), and O(heap) for a node without an owner.
   */
  pathTo(node: LifetimeNode): string[] {
    const path: string[] = [];
    for (let at: LifetimeNode | null = node; at !== null; at = at.owner) {
      if (!this.heap.isAlive(at.handle)) return [];
      if (at.owner === null && at.isRoot !== true) {
        return [...this.heap.pathFromRoot(at.handle).map((one) => this.nameOf(one)), ...path];
      }
      path.unshift(this.nameOf(at.handle));
    }
    return path;
  }

  /** Names the nodes of a cycle through a node, which comes first and last; empty if there is none. O(nodes and edges). */
  cycleThrough(node: LifetimeNode): string[] {
    const cameFrom = new Map<LifetimeNode, LifetimeNode>();
    const queue = [node];
    for (const source of queue) {
      for (const target of this.#targetsOf(source)) {
        if (target === node) return this.#cycleOf(node, source, cameFrom);
        if (cameFrom.has(target)) continue;
        cameFrom.set(target, source);
        queue.push(target);
      }
    }
    return [];
  }

  /** Names the cycle that keeps a node or one of its owners alive; empty if there is none. */
  cycleHolding(node: LifetimeNode): string[] {
    for (let at: LifetimeNode | null = node; at !== null && at.isRoot !== true; at = at.owner) {
      const names = this.cycleThrough(at);
      if (names.length > 0) return names;
    }
    return [];
  }

  /** Names a node by its kind and its site. */
  nameOf(handle: Handle): string {
    const site = this.heap.site(handle);
    const kind = this.heap.kind(handle);
    return site === '' ? kind : `${kind} ${kind === 'lease' ? site : JSON.stringify(site)}`;
  }

  #cycleOf(
    node: LifetimeNode,
    last: LifetimeNode,
    cameFrom: ReadonlyMap<LifetimeNode, LifetimeNode>,
  ): string[] {
    const names = [this.nameOf(node.handle)];
    for (let at: LifetimeNode | undefined = last; at !== undefined; at = cameFrom.get(at)) {
      names.unshift(this.nameOf(at.handle));
      if (at === node) return names;
    }
    return names;
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

  /** Whether a node holds other nodes. O(1). */
  holdsNodes({ handle }: LifetimeNode): boolean {
    return this.heap.edgeCount(handle) > 0;
  }

  /** Ends the owner's hold; the node is freed unless another node holds it. O(1). */
  removeOwner(node: LifetimeNode): void {
    const { owner, ownerEdge } = node;
    node.owner = null;
    node.ownerEdge = -1;
    if (owner !== null && this.heap.isAlive(owner.handle)) this.#removeEdge(owner, ownerEdge);
    if (!this.heap.isAlive(node.handle)) this.#forget(node);
  }

  /** The nodes that the edges of a node lead to, in the heap's order. */
  #targetsOf({ handle }: LifetimeNode): LifetimeNode[] {
    const targets: LifetimeNode[] = [];
    const edges = this.heap.edgeCount(handle);
    for (let edge = 0; edge < edges; edge++) {
      const target = this.nodeOf(this.heap.edgeAt(handle, edge));
      if (target !== undefined) targets.push(target);
    }
    return targets;
  }

  /** Puts a new node under its owner, which holds it from now on. */
  #placed(node: LifetimeNode, owner: LifetimeNode): LifetimeNode {
    this.#added(node);
    this.setOwner(node, owner);
    this.heap.drop(node.handle);
    return node;
  }

  #added(node: LifetimeNode): LifetimeNode {
    this.#bySlot.set(indexOfHandle(node.handle), node);
    return node;
  }

  #forget({ handle }: LifetimeNode): void {
    if (this.nodeOf(handle) !== undefined) this.#bySlot.set(indexOfHandle(handle), undefined);
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
