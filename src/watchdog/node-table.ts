/** The nodes and the loans of one component, by the ids under which it reports them. */
import { PagedArray } from '../core/paged-array.js';
import type { NodeId } from '../core/probe.js';
import type { LifetimeNode } from './lifetime-graph.js';
import { Loan } from './loan.js';

/** The id of the component's own node. */
export const ROOT: NodeId = 0;

/** The end of the list of free ids. */
const NO_ID: NodeId = -1;

export class NodeTable {
  /** The nodes, and the loans that are out, settled or not. A free id has the next free id instead. */
  readonly #byId = new PagedArray<LifetimeNode | Loan | NodeId>();
  #firstFree = NO_ID;

  /** Without a `root` it stays empty: a watch that has ended knows no node. */
  constructor(root?: LifetimeNode) {
    if (root !== undefined) this.#byId.set(ROOT, root);
  }

  /** Adds a node or a loan under an id that is free. Gives the id. */
  add(record: LifetimeNode | Loan): NodeId {
    const id = this.nextId();
    if (id === this.#firstFree) this.#firstFree = this.#byId.get(id) as NodeId;
    this.#byId.set(id, record);
    return id;
  }

  /** Gives the id that {@link add} will give next. */
  nextId(): NodeId {
    return this.#firstFree === NO_ID ? this.#byId.length : this.#firstFree;
  }

  /** Gives the node with this id; `undefined` if there is none, or if it is a loan that is not settled. */
  node(id: NodeId): LifetimeNode | undefined {
    const record = this.#byId.get(id);
    if (record instanceof Loan) return record.node ?? undefined;
    return typeof record === 'object' ? record : undefined;
  }

  loan(id: NodeId): Loan | undefined {
    const record = this.#byId.get(id);
    return record instanceof Loan ? record : undefined;
  }

  /** Forgets what has an id, which stays in use. */
  unset(id: NodeId): void {
    this.#byId.set(id, undefined);
  }

  /** Lets the id of what has ended be used again. */
  free(id: NodeId): void {
    this.#byId.set(id, this.#firstFree);
    this.#firstFree = id;
  }

  /** Gives the nodes, besides the loans and the component's own. */
  *nodes(): IterableIterator<LifetimeNode> {
    const root = this.#byId.get(ROOT);
    for (const record of this.#byId) {
      if (record !== root && typeof record === 'object' && !(record instanceof Loan)) yield record;
    }
  }

  /** Gives the loans that are out. */
  *loans(): IterableIterator<Loan> {
    for (const record of this.#byId) if (record instanceof Loan) yield record;
  }

  /** Gives what has an id, besides the component's own node: the youngest id first, and `undefined` for each id that is free. */
  *youngestFirst(): IterableIterator<LifetimeNode | Loan | undefined> {
    for (let id = this.#byId.length - 1; id > ROOT; id--) {
      const record = this.#byId.get(id);
      yield typeof record === 'object' ? record : undefined;
    }
  }
}
