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
import { type CallOrigin, Loan, type LoanSource } from './loan.js';
import type { LoanSample } from './loan-sample.js';
import type { LoanTracker } from './loan-tracker.js';
import { Shortage } from './shortage.js';
import { StackSample } from './stack-sample.js';

/** The id of the component's own node. */
const ROOT: NodeId = 0;

/** The id of each loan that is counted and not tracked. */
const UNTRACKED_ID: NodeId = -2;

/** The origin of a loan that is counted and not tracked. */
const UNTRACKED: Origin = {};

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
  readonly #loanSample: LoanSample;
  /** The nodes by id, and the loans that are out, settled or not. */
  readonly #byId: (LifetimeNode | Loan | undefined)[];
  readonly #freeIds: NodeId[] = [];
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #releaseAdvice: string | undefined;
  #shortage = new Shortage(undefined);
  #closed = false;
  /** When the last loan began, as far as is known, in milliseconds. */
  #lastLentAt = 0;
  /** Whether a loan that is not tracked has begun since the last look. */
  #hasLentUntracked = false;
  /** The origin of the last loan without a stack. Most loans of a scope have the same, and share it. */
  #lastOrigin: CallOrigin = {
    call: { name: '' },
    stack: undefined,
    scope: undefined,
    owner: undefined,
  };
  /** How many loans are out. */
  loansOut = 0;

  constructor(tracker: LoanTracker) {
    this.#tracker = tracker;
    this.countsMisuse = tracker.levelPlan.countsMisuse;
    this.#stackSample = new StackSample(tracker.levelPlan, tracker);
    this.#loanSample = tracker.newLoanSample();
    this.node = tracker.graph.allocateRoot('component');
    this.#byId = [this.node];
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
    for (const record of this.#byId) if (record instanceof Loan) yield record;
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

  /** Looks whether the component has run dry. O(1). */
  look(): void {
    if (this.#hasLentUntracked) this.#lastLentAt = this.#tracker.loanTime();
    this.#hasLentUntracked = false;
    this.#shortage.look(this.stats(), this.#lastLentAt);
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
    this.#loanSample.trackNext();
    this.#stackSample.captureNextStacks();
  }

  /** Ends the watch: removes the component's nodes and loans. O(nodes). */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const [id, record] of this.#byId.entries()) {
      if (record instanceof Loan) this.#endLoan(id, record, true);
    }
    this.#tracker.graph.releaseRoot(this.node);
    this.#byId.length = 0;
  }

  origin(entry: EntryPoint): Origin {
    const tracker = this.#tracker;
    tracker.noteActivity();
    const scope = tracker.currentScope();
    const owner = this.#currentOwner();
    const isOwned = scope !== undefined || owner !== undefined;
    if (!this.#loanSample.sampleNext(isOwned)) return UNTRACKED;
    if (this.#stackSample.sampleNext()) {
      return {
        call: entry,
        stack: captureStack(entry, tracker.levelPlan.stackDepth),
        scope,
        owner,
      };
    }
    const last = this.#lastOrigin;
    if (last.call === entry && last.scope === scope && last.owner === owner) return last;
    this.#lastOrigin = { call: entry, stack: undefined, scope, owner };
    return this.#lastOrigin;
  }

  allocated(kind: NodeKind, owner: NodeId): NodeId {
    const ownerNode = this.#nodeOf(owner); // None after the end of the watch.
    if (ownerNode === undefined) return ROOT;
    this.#tracker.noteActivity();
    const id = this.#nextId();
    this.#byId[id] = this.#tracker.graph.allocate(kind, ownerNode);
    return id;
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    if (this.#closed) return ROOT;
    const tracker = this.#tracker;
    this.loansOut++;
    if (origin === UNTRACKED) {
      this.#hasLentUntracked = true;
      tracker.lentUntracked();
      return UNTRACKED_ID;
    }
    const id = this.#nextId();
    const loan = this.#newLoan(this.#nodeOf(held), origin as CallOrigin, capability);
    this.#byId[id] = loan;
    this.#lastLentAt = loan.lentAt;
    tracker.lent(loan);
    return id;
  }

  settle(loan: Loan): void {
    const { graph } = this.#tracker;
    const holder = this.#holderOf(loan);
    this.#tracker.allocateNode(loan, holder ?? this.node);
    loan.isUnheld = holder === undefined;
    if (loan.held !== undefined) graph.reference(loan, loan.held);
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodeOf(from);
    const held = this.#nodeOf(to);
    if (holder === undefined || held === undefined) return;
    if (held.owner === null && from === ROOT) this.#tracker.graph.setOwner(held, holder);
    else this.#tracker.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodeOf(from);
    const held = this.#nodeOf(to);
    if (holder === undefined || held === undefined) return;
    if (held.owner === holder) this.#tracker.graph.removeOwner(held);
    else this.#tracker.graph.unreference(holder, held);
    this.#tracker.judgeUnheld();
  }

  freed(id: NodeId, reclaimed = false): void {
    if (id === UNTRACKED_ID) {
      if (!this.#closed) this.loansOut--;
      return;
    }
    const record = this.#byId[id];
    if (record instanceof Loan) {
      this.#endLoan(id, record, reclaimed);
      return;
    }
    this.#tracker.settleAll();
    if (record === undefined || id === ROOT) return;
    this.#removeNode(id, record);
    this.#tracker.judgeUnheld();
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#byId[id];
    if (!(loan instanceof Loan) || !this.#tracker.levelPlan.touches) return;
    loan.lastTouch = { hint, at: this.#tracker.now() };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#byId[id];
    if (!(loan instanceof Loan)) return;
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
    const loan = this.#newLoan(undefined, origin, undefined);
    loan.end();
    this.#tracker.misused(loan);
  }

  /** Gives the node of the value that is being created in the current async flow, if this watchdog knows it. */
  #currentOwner(): LifetimeNode | undefined {
    const owner = this.#tracker.scopes.currentOwner();
    const watch = owner?.observer;
    return watch instanceof ComponentWatch &&
      watch.#tracker === this.#tracker &&
      owner?.node !== undefined
      ? watch.#nodeOf(owner.node)
      : undefined;
  }

  /**
   * Gives the node that holds a loan: the value that owns it, or the scope that took it; `undefined` if that scope has ended.
   */
  #holderOf({ origin: { owner, scope } }: Loan): LifetimeNode | undefined {
    const { graph, outsideScopes } = this.#tracker;
    if (owner !== undefined && graph.heap.isAlive(owner.handle)) return owner;
    const scopeNode = scope && this.#tracker.scopes.nodeOf(scope);
    if (owner === undefined && scope !== undefined) return scopeNode;
    return scopeNode ?? outsideScopes;
  }

  #endLoan(id: NodeId, loan: Loan, reclaimed: boolean): void {
    const tracker = this.#tracker;
    this.#byId[id] = undefined;
    this.loansOut--;
    if (!reclaimed) this.holdTimes.record(tracker.loanTime() - loan.lentAt);
    if (loan.node === null) {
      tracker.endedUnsettled(loan);
      loan.end();
      this.#freeIds.push(id);
      return;
    }
    if (loan.held?.owner === null) tracker.settleAll(); // Another loan of the value may have no node yet, and hold it alone.
    loan.end();
    this.#removeNode(id, loan);
    tracker.ended(loan, reclaimed);
  }

  #newLoan(
    held: LifetimeNode | undefined,
    origin: CallOrigin,
    capability: WeakKey | undefined,
  ): Loan {
    return new Loan(this, held, origin, this.#tracker.loanTime(), capability);
  }

  /** Gives the node with this id; `undefined` if there is none, or if it is a loan that is not settled. */
  #nodeOf(id: NodeId): LifetimeNode | undefined {
    const record = this.#byId[id];
    return record instanceof Loan ? (record.node ?? undefined) : record;
  }

  #nextId(): NodeId {
    return this.#freeIds.pop() ?? this.#byId.length;
  }

  #removeNode(id: NodeId, node: LifetimeNode): void {
    this.#byId[id] = undefined;
    this.#freeIds.push(id);
    this.#tracker.graph.removeOwner(node);
  }
}
