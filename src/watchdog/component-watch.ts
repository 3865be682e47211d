/**
 * The observer of one watched component. It turns the calls of the probe (`core/probe.ts`) into nodes and edges of the
 * lifetime graph. It holds the records of the loans that are out.
 *
 * | call of the probe | what changes |
 * |---|---|
 * | `origin` | none; takes the caller's stack and scope |
 * | `allocated` | a node under its owner |
 * | `lent` | a loan, without a node until it is settled |
 * | `referenced`, `dropped` | an edge |
 * | `freed` of a loan | the loan ends; its node goes, if it has one |
 * | `freed` of another node | the node goes |
 */
import { captureStack } from '../core/call-site.js';
import type {
  ComponentStats,
  EntryPoint,
  Misuse,
  NodeId,
  NodeKind,
  Observation,
  Observer,
  Origin,
} from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { CallOrigin, Loan, LoanSource } from './loan.js';
import type { LoanTracker } from './loan-tracker.js';
import { Shortage } from './shortage.js';
import { StackSample } from './stack-sample.js';

/** The id of the component's own node. */
const ROOT: NodeId = 0;

/** The generation of a loan that is not settled. */
const YOUNGEST: NodeGeneration = 0;

/** The watch over one component. The component keeps it; it holds the component weakly. */
export class ComponentWatch implements Observer, LoanSource {
  readonly root: NodeId = ROOT;
  readonly countsMisuse: boolean;
  readonly holdTimes: HoldTimes = new HoldTimes();
  /** The component's node. Its handle is stale after {@link close}. */
  readonly node: LifetimeNode;
  readonly #tracker: LoanTracker;
  readonly #stackSample: StackSample;
  readonly #nodesById: (LifetimeNode | undefined)[];
  readonly #freeIds: NodeId[] = [];
  readonly #loansById: (Loan | undefined)[] = [];
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #releaseAdvice: string | undefined;
  #shortage = new Shortage(undefined);
  #closed = false;
  /** How many loans are out. */
  loansOut = 0;

  constructor(tracker: LoanTracker) {
    this.#tracker = tracker;
    this.countsMisuse = tracker.levelPlan.countsMisuse;
    this.#stackSample = new StackSample(tracker.levelPlan, tracker);
    this.node = tracker.graph.allocateRoot('component');
    this.#nodesById = [this.node];
  }

  get kind(): string {
    return this.#kind;
  }

  get name(): string {
    return this.#name;
  }

  get releaseAdvice(): string | undefined {
    return this.#releaseAdvice;
  }

  /** Gives the loans that are out. */
  *loans(): IterableIterator<Loan> {
    for (const loan of this.#loansById) if (loan !== undefined) yield loan;
  }

  stats(): ComponentStats | undefined {
    return this.#observation?.deref()?.stats();
  }

  generationOf(loan: Loan): NodeGeneration {
    return loan.node === null ? YOUNGEST : this.#tracker.graph.heap.generation(loan.node.handle);
  }

  get shortage(): Shortage {
    return this.#shortage;
  }

  /** Looks whether the component has run dry. O(loans that are out). */
  look(): void {
    let lastLentAt = 0;
    for (const { lentAt } of this.loans()) lastLentAt = Math.max(lastLentAt, lentAt);
    this.#shortage.look(this.stats(), lastLentAt);
  }

  /** Takes note of the component's answer to being watched. Holds it weakly. */
  attached(observation: Observation): void {
    this.#observation = new WeakRef(observation);
    this.#kind = observation.kind;
    this.#name = observation.name;
    this.#releaseAdvice = observation.releaseAdvice;
    this.#shortage = new Shortage(observation.stats());
  }

  captureNextStacks(): void {
    this.#stackSample.captureNextStacks();
  }

  /** Ends the watch: removes the component's nodes and loans. O(nodes). */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const loan of this.loans()) this.#endLoan(loan, true);
    this.#tracker.graph.releaseRoot(this.node);
    this.#nodesById.length = 0;
    this.#loansById.length = 0;
  }

  origin(entry: EntryPoint): Origin {
    this.#tracker.noteActivity();
    const origin: CallOrigin = {
      call: entry,
      stack: this.#stackSample.sampleNext()
        ? captureStack(entry, this.#tracker.levelPlan.stackDepth)
        : undefined,
      scope: this.#tracker.currentScope(),
      owner: this.#currentOwner(),
    };
    return origin;
  }

  allocated(kind: NodeKind, owner: NodeId): NodeId {
    const ownerNode = this.#nodesById[owner]; // None after the end of the watch.
    if (ownerNode === undefined) return ROOT;
    this.#tracker.noteActivity();
    return this.#assignId(this.#tracker.graph.allocate(kind, ownerNode));
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    if (this.#closed) return ROOT;
    const resource = this.#nodesById[held];
    const id = this.#assignId(undefined);
    const loan = this.#newLoan(id, resource, origin as CallOrigin, capability);
    this.#loansById[id] = loan;
    this.loansOut++;
    this.#tracker.lent(loan);
    this.#tracker.noteActivity();
    return id;
  }

  settle(loan: Loan): void {
    const { graph } = this.#tracker;
    const holder = this.#holderOf(loan);
    const node = graph.allocate('lease', holder ?? this.node, () => {
      if (!loan.ended) this.#tracker.unheld(loan);
    });
    loan.isUnheld = holder === undefined;
    loan.node = node;
    this.#nodesById[loan.id] = node;
    if (loan.held !== undefined) graph.reference(node, loan.held);
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodesById[from];
    const held = this.#nodesById[to];
    if (!holder || !held) return;
    if (held.owner === null && from === ROOT) this.#tracker.graph.setOwner(held, holder);
    else this.#tracker.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodesById[from];
    const held = this.#nodesById[to];
    if (!holder || !held) return;
    if (held.owner === holder) this.#tracker.graph.removeOwner(held);
    else this.#tracker.graph.unreference(holder, held);
    this.#tracker.judgeUnheld();
  }

  freed(id: NodeId, reclaimed = false): void {
    const loan = this.#loansById[id];
    if (loan !== undefined) {
      this.#endLoan(loan, reclaimed);
      return;
    }
    this.#tracker.settleAll();
    const node = this.#nodesById[id];
    if (node === undefined || id === ROOT) return;
    this.#removeNode(id, node);
    this.#tracker.judgeUnheld();
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#loansById[id];
    if (loan === undefined || !this.#tracker.levelPlan.touches) return;
    loan.lastTouch = { hint, at: this.#tracker.now() };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#loansById[id];
    if (loan === undefined) return;
    const now = this.#tracker.now();
    loan.expectedUntil = now + millis;
    this.#tracker.judge(loan, now);
  }

  misused({ call, stack, earlier }: Misuse): void {
    if (this.#closed) return;
    const origin: CallOrigin = {
      call: { name: call },
      stack,
      scope: this.#tracker.currentScope(),
      owner: undefined,
      ...(earlier !== undefined && { earlier }),
    };
    this.#tracker.misused({ ...this.#newLoan(ROOT, undefined, origin, undefined), ended: true });
  }

  /** Gives the node of the value that is being created in the current async flow, if this watchdog knows it. */
  #currentOwner(): LifetimeNode | undefined {
    const owner = this.#tracker.scopes.currentOwner();
    const watch = owner?.observer;
    return watch instanceof ComponentWatch &&
      watch.#tracker === this.#tracker &&
      owner?.node !== undefined
      ? watch.#nodesById[owner.node]
      : undefined;
  }

  /**
   * Gives the node that holds a loan: the value that owns it, or the scope that took it; `undefined` if that scope has ended.
   */
  #holderOf({ origin: { owner, scope } }: Loan): LifetimeNode | undefined {
    const { graph, outsideScopes } = this.#tracker;
    if (owner !== undefined && graph.heap.isAlive(owner.handle)) return owner;
    if (owner === undefined && scope !== undefined) return scope.node ?? undefined;
    return scope?.node ?? outsideScopes;
  }

  #endLoan(loan: Loan, reclaimed: boolean): void {
    const { id } = loan;
    loan.ended = true;
    loan.capability = undefined;
    this.#loansById[id] = undefined;
    this.loansOut--;
    if (!reclaimed) this.holdTimes.record(this.#tracker.now() - loan.lentAt);
    if (loan.node === null) {
      this.#freeIds.push(id);
      return;
    }
    // A shared value is held by its loans alone. Those that are not settled have to hold it before this one lets go.
    if (loan.held?.owner === null) this.#tracker.settleAll();
    this.#removeNode(id, loan.node);
    this.#tracker.ended(loan, reclaimed);
  }

  #newLoan(
    id: NodeId,
    held: LifetimeNode | undefined,
    origin: CallOrigin,
    capability: WeakKey | undefined,
  ): Loan {
    return {
      component: this,
      id,
      node: null,
      held,
      origin,
      lentAt: this.#tracker.nextLentAt(),
      hasCapability: capability !== undefined,
      capability,
      expectedUntil: 0,
      lastTouch: undefined,
      returnsBefore: this.holdTimes.count,
      isUnheld: false,
      collected: false,
      ended: false,
    };
  }

  #assignId(node: LifetimeNode | undefined): NodeId {
    const id = this.#freeIds.pop() ?? this.#nodesById.length;
    this.#nodesById[id] = node;
    return id;
  }

  #removeNode(id: NodeId, node: LifetimeNode): void {
    this.#nodesById[id] = undefined;
    this.#freeIds.push(id);
    this.#tracker.graph.removeOwner(node);
  }
}
