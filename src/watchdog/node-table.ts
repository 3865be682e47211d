/** The nodes and the loans of one component, by the ids under which it reports them. */
import type { NodeId } from '../core/probe.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { Loan } from './loan.js';

/** The id of the component's own node. */
export const ROOT: NodeId = 0;

export class NodeTable {
  readonly #nodes: (LifetimeNode | undefined)[];
  readonly #loans: (Loan | undefined)[] = [];
  readonly #freeIds: NodeId[] = [];

  constructor(root: LifetimeNode) {
    this.#nodes = [root];
  }

  /** Gives an id to a node, or to a loan that has none yet. */
  add(node: LifetimeNode | undefined): NodeId {
    const id = this.#freeIds.pop() ?? this.#nodes.length;
    this.#nodes[id] = node;
    return id;
  }

  node(id: NodeId): LifetimeNode | undefined {
    return this.#nodes[id];
  }

  setNode(id: NodeId, node: LifetimeNode | undefined): void {
    this.#nodes[id] = node;
  }

  loan(id: NodeId): Loan | undefined {
    return this.#loans[id];
  }

  setLoan(id: NodeId, loan: Loan | undefined): void {
    this.#loans[id] = loan;
  }

  /** Lets the id of a node that has ended be used again. */
  free(id: NodeId): void {
    this.#nodes[id] = undefined;
    this.#freeIds.push(id);
  }

  /** Gives the loans that are out. */
  *loans(): IterableIterator<Loan> {
    for (const loan of this.#loans) if (loan !== undefined) yield loan;
  }

  clear(): void {
    this.#nodes.length = 0;
    this.#loans.length = 0;
    this.#freeIds.length = 0;
  }
}
