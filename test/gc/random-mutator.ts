/**
 * A mutator that changes a heap at random, and records each change in a plain model: a map of edges and holds. The
 * nodes that the model reaches from held nodes must be alive.
 */
import { BaseHeap } from '../../src/gc/base-heap.js';
import { type Handle, Heap, type HeapOptions } from '../../src/gc/index.js';

interface ModelNode {
  readonly edges: Handle[];
  holds: number;
}

/** One move: two numbers choose nodes, and `action` chooses the operation. */
export type Move = readonly [action: number, first: number, second: number];

export class RandomMutator {
  readonly heap: BaseHeap;
  readonly #model = new Map<Handle, ModelNode>();
  /** True if the mutator also uses handles of unreachable nodes that are still alive. */
  readonly #usesUnreachable: boolean;

  constructor(options: HeapOptions | BaseHeap, usesUnreachable = false) {
    this.heap = options instanceof BaseHeap ? options : new Heap(options);
    this.#usesUnreachable = usesUnreachable;
  }

  /** Returns the nodes that the model reaches from held nodes. */
  reachable(): Set<Handle> {
    const found = new Set<Handle>();
    const rest = this.held();
    for (let node = rest.pop(); node !== undefined; node = rest.pop()) {
      if (found.has(node)) continue;
      found.add(node);
      rest.push(...(this.#model.get(node) as ModelNode).edges);
    }
    return found;
  }

  /** Returns the held nodes. */
  held(): Handle[] {
    return [...this.#model].filter(([, { holds }]) => holds > 0).map(([node]) => node);
  }

  /** Returns the nodes that are alive. */
  alive(): Set<Handle> {
    return new Set([...this.#model.keys()].filter((node) => this.heap.isAlive(node)));
  }

  /** Returns the reachable nodes that are dead or have wrong edges. */
  damaged(): Handle[] {
    return [...this.reachable()].filter((node) => {
      if (!this.heap.isAlive(node)) return true;
      const { edges } = this.#model.get(node) as ModelNode;
      const found = this.heap.edges(node);
      return found.length !== edges.length || found.some((edge, place) => edge !== edges[place]);
    });
  }

  /** Returns the sum of all reference counts, and the sum of edges and holds. */
  references(): { counted: number; edgesAndHolds: number } {
    let counted = 0;
    let edgesAndHolds = 0;
    for (const [node, { edges, holds }] of this.#model) {
      if (!this.heap.isAlive(node)) continue;
      counted += this.heap.refcount(node);
      edgesAndHolds += edges.length + holds;
    }
    return { counted, edgesAndHolds };
  }

  do([action, first, second]: Move): void {
    const candidates = [...(this.#usesUnreachable ? this.alive() : this.reachable())];
    if (candidates.length === 0 || action < 3) {
      this.#allocate();
      return;
    }
    const a = candidates[first % candidates.length] as Handle;
    const b = candidates[second % candidates.length] as Handle;
    const { edges } = this.#model.get(a) as ModelNode;
    // A node that a collection is deleting has lost its edges already.
    if (this.#usesUnreachable) edges.splice(0, edges.length, ...this.heap.edges(a));
    if (action < 8) this.#link(a, b);
    else if (action < 10) this.#set(a, edges, second, b);
    else if (action < 13) this.#unlink(a, edges, second);
    else if (action < 14) this.#clear(a, edges);
    else if (action < 16) this.#hold(a);
    else this.#drop(a);
  }

  #allocate(): void {
    this.#model.set(this.heap.alloc(), { edges: [], holds: 1 });
  }

  #link(from: Handle, to: Handle): void {
    this.heap.link(from, to);
    (this.#model.get(from) as ModelNode).edges.push(to);
  }

  #set(from: Handle, edges: Handle[], place: number, to: Handle): void {
    if (edges.length === 0) return;
    edges[place % edges.length] = to;
    this.heap.set(from, place % edges.length, to);
  }

  #unlink(from: Handle, edges: Handle[], place: number): void {
    if (edges.length === 0) return;
    const at = place % edges.length;
    edges.splice(at, 1);
    this.heap.unlink(from, at);
  }

  #clear(from: Handle, edges: Handle[]): void {
    edges.length = 0;
    this.heap.clear(from);
  }

  #hold(node: Handle): void {
    (this.#model.get(node) as ModelNode).holds++;
    this.heap.hold(node);
  }

  #drop(node: Handle): void {
    const model = this.#model.get(node) as ModelNode;
    if (model.holds === 0) return;
    model.holds--;
    this.heap.drop(node);
  }
}
