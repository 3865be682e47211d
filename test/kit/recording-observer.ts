/** An observer that records what a component reports. It throws on a report that contradicts the ones before. */
import type { NodeId, NodeKind, Observer, Origin } from '../../src/core/probe.js';

export interface RecordedNode {
  readonly id: NodeId;
  readonly kind: NodeKind;
  /** The nodes that hold it, once per reference. */
  readonly holders: NodeId[];
  readonly origin?: Origin;
  readonly capability?: WeakRef<WeakKey>;
}

export class RecordingObserver implements Observer {
  readonly root: NodeId = 1;
  /** The live nodes by id, without the root. */
  readonly live = new Map<NodeId, RecordedNode>();
  /** Every report in order, as `lent 3`, `freed 3`, `touched 3 query sent`. */
  readonly log: string[] = [];
  /** The entry points that were passed to `origin`. */
  readonly entries: unknown[] = [];
  /** The loans that were taken back by force, whose late ends may be reported once. */
  readonly #reclaimed = new Set<NodeId>();
  #lastId: NodeId = this.root;

  /** Gives the ids of the live nodes of one kind. */
  liveOf(kind: NodeKind): NodeId[] {
    return [...this.live.values()].filter((node) => node.kind === kind).map((node) => node.id);
  }

  origin(entry: unknown): Origin {
    this.entries.push(entry);
    return { number: this.entries.length };
  }

  allocated(kind: NodeKind, owner: NodeId): NodeId {
    this.#mustLive(owner);
    return this.#born({ id: this.#nextId(), kind, holders: [owner] });
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    this.#mustLive(held);
    const id = this.#nextId();
    const node: RecordedNode = { id, kind: 'lease', holders: [], origin };
    this.live.get(held)?.holders.push(id);
    return this.#born(
      capability === undefined ? node : { ...node, capability: new WeakRef(capability) },
    );
  }

  takenDirectly(held: NodeId): NodeId {
    this.#mustLive(held);
    const id = this.#nextId();
    this.live.get(held)?.holders.push(id);
    return this.#born({ id, kind: 'direct lease', holders: [] });
  }

  givenBackDirectly(loan: NodeId): void {
    this.log.push('given back directly');
    this.freed(loan);
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#mustLive(from);
    this.#mustLive(to);
    this.live.get(to)?.holders.push(from);
    this.log.push(`referenced ${from} ${to}`);
  }

  dropped(from: NodeId, to: NodeId): void {
    const holders = this.live.get(to)?.holders ?? [];
    const place = holders.indexOf(from);
    if (place < 0) throw new Error(`${from} does not hold ${to}`);
    holders.splice(place, 1);
    this.log.push(`dropped ${from} ${to}`);
  }

  freed(node: NodeId, reclaimed?: boolean): void {
    if (this.#reclaimed.delete(node)) {
      this.log.push(`freed late ${node}`);
      return;
    }
    this.#mustLive(node);
    if (reclaimed === true) this.#reclaimed.add(node);
    const kind = this.live.get(node)?.kind;
    this.live.delete(node);
    for (const { holders } of this.live.values()) {
      const place = holders.indexOf(node);
      if (place >= 0) holders.splice(place, 1);
    }
    this.log.push(`freed ${kind} ${node}`);
  }

  touched(node: NodeId, hint?: string): void {
    this.#mustLive(node);
    this.log.push(hint === undefined ? `touched ${node}` : `touched ${node} ${hint}`);
  }

  expected(node: NodeId, millis: number): void {
    this.#mustLive(node);
    this.log.push(`expected ${node} ${millis}`);
  }

  #born(node: RecordedNode): NodeId {
    this.live.set(node.id, node);
    this.log.push(`allocated ${node.kind} ${node.id}`);
    return node.id;
  }

  #nextId(): NodeId {
    return ++this.#lastId;
  }

  #mustLive(node: NodeId): void {
    if (node !== this.root && !this.live.has(node)) throw new Error(`node ${node} is not alive`);
  }
}
