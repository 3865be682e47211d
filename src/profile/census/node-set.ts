/** A set of nodes, one bit each: a `Set` ends at 2^24 members, and a snapshot of V8 may have more nodes. */
export class NodeSet {
  readonly #bits: Uint8Array;
  readonly #nodeCount: number;

  /** Is empty, and has room for the nodes from 0 to `nodeCount` − 1. */
  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount;
    this.#bits = new Uint8Array((nodeCount + 7) >>> 3);
  }

  /** Gives the nodes from 0 to `nodeCount` − 1 that `belongs` accepts. */
  static where(nodeCount: number, belongs: (node: number) => boolean): NodeSet {
    const set = new NodeSet(nodeCount);
    for (let node = 0; node < nodeCount; node++) if (belongs(node)) set.add(node);
    return set;
  }

  add(node: number): void {
    this.#bits[node >>> 3] = (this.#bits[node >>> 3] as number) | (1 << (node & 7));
  }

  has(node: number): boolean {
    return ((this.#bits[node >>> 3] as number) & (1 << (node & 7))) !== 0;
  }

  /** Calls `visitor` with each member, in ascending order. */
  visit(visitor: (node: number) => void): void {
    for (let node = 0; node < this.#nodeCount; node++) if (this.has(node)) visitor(node);
  }

  /** Gives the members that `belongs` accepts. */
  filter(belongs: (node: number) => boolean): NodeSet {
    return NodeSet.where(this.#nodeCount, (node) => this.has(node) && belongs(node));
  }
}
