/** The nodes and the loans of one component, by the ids under which it reports them. */
import type { NodeId } from '../core/probe.js';
import type { LifetimeNode } from './lifetime-graph.js';
import { Loan } from './loan.js';

/** The id of the component's own node. */
export const ROOT: NodeId = 0;

export class NodeTable {
  /** The nodes, and the loans that are out, settled or not. */
  readonly #byId: (LifetimeNode | Loan | undefined)[];
  readonly #freeIds: NodeId[] = [];

  constructor(root: LifetimeNode) {
    this.#byId = [root];
  }

  /** Gives an id that is free. */
  nextId(): NodeId {
    return this.#freeIds.pop() ?? this.#byId.length;
  }

  set(id: NodeId, record: LifetimeNode | Loan): void {
    this.#byId[id] = record;
  }

  /** Gives the node with this id; `undefined` if there is none, or if it is a loan that is not settled. */
  node(id: NodeId): LifetimeNode | undefined {
    const record = this.#byId[id];
    return record instanceof Loan ? (record.node ?? undefined) : record;
  }

  loan(id: NodeId): Loan | undefined {
    const record = this.#byId[id];
    return record instanceof Loan ? record : undefined;
  }

  /** Forgets what has an id, which stays in use. */
  unset(id: NodeId): void {
    this.#byId[id] = undefined;
  }

  /** Lets the id of what has ended be used again. */
  free(id: NodeId): void {
    this.#byId[id] = undefined;
    this.#freeIds.push(id);
  }

  /** Gives the loans that are out. */
  *loans(): IterableIterator<Loan> {
    for (const record of this.#byId) if (record instanceof Loan) yield record;
  }

  clear(): void {
    this.#byId.length = 0;
    this.#freeIds.length = 0;
  }
}
