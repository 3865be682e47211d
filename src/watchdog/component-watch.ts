/**
 * One watched component: the observer that it reports to. Turns the probe's calls into nodes and edges of the lifetime
 * graph, and keeps the loans that are out.
 */
import { captureStack } from '../core/call-site.js';
import type {
  ComponentStats,
  EntryPoint,
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
import { StackSample } from './stack-sample.js';

/** The id of the component's own node. */
const ROOT: NodeId = 0;

/** How old a loan is that has not been settled. */
const YOUNGEST: NodeGeneration = 0;

export class ComponentWatch implements Observer, LoanSource {
  readonly root: NodeId = ROOT;
  readonly holdTimes: HoldTimes = new HoldTimes();
  /** The component's node; after {@link close} its handle is stale. */
  readonly node: LifetimeNode;
  readonly #tracker: LoanTracker;
  readonly #stacks: StackSample;
  readonly #nodes: (LifetimeNode | undefined)[];
  readonly #freeIds: NodeId[] = [];
  /** By id. */
  readonly #loans: (Loan | undefined)[] = [];
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #closed = false;
  /** How many loans are out. */
  loansOut = 0;

  constructor(tracker: LoanTracker) {
    this.#tracker = tracker;
    this.#stacks = new StackSample(tracker.plan, tracker);
    this.node = tracker.graph.root('component');
    this.#nodes = [this.node];
  }

  get kind(): string {
    return this.#kind;
  }

  get name(): string {
    return this.#name;
  }

  /** The loans that are out. */
  *loans(): IterableIterator<Loan> {
    for (const loan of this.#loans) if (loan !== undefined) yield loan;
  }

  stats(): ComponentStats | undefined {
    return this.#observation?.deref()?.stats();
  }

  generationOf(loan: Loan): NodeGeneration {
    return loan.node === null ? YOUNGEST : this.#tracker.graph.heap.generation(loan.node.handle);
  }

  /** Whether everything is out and somebody waits. */
  isExhausted(): boolean {
    const { available, pending } = this.stats() ?? {};
    return available === 0 && pending !== undefined && pending > 0;
  }

  /** Takes note of what the component answered when it was attached. Holds it weakly. */
  attached(observation: Observation): void {
    this.#observation = new WeakRef(observation);
    this.#kind = observation.kind;
    this.#name = observation.name;
  }

  arm(): void {
    this.#stacks.arm();
  }

  /** Ends the watch: the component reports nothing more, its nodes and loans are forgotten. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const loan of this.loans()) this.#end(loan, true);
    this.#tracker.graph.release(this.node);
    this.#nodes.length = 0;
    this.#loans.length = 0;
  }

  origin(entry: EntryPoint): Origin {
    this.#tracker.active();
    const origin: CallOrigin = {
      stack: this.#stacks.wantsNext()
        ? captureStack(entry, this.#tracker.plan.stackDepth)
        : undefined,
      scope: this.#tracker.currentScope(),
    };
    return origin;
  }

  allocated(kind: NodeKind, owner: NodeId): NodeId {
    const keeper = this.#nodes[owner];
    if (keeper === undefined) return ROOT;
    this.#tracker.active();
    return this.#enter(this.#tracker.graph.born(kind, keeper));
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    const resource = this.#nodes[held];
    const id = this.#enter(undefined);
    const loan: Loan = {
      component: this,
      id,
      node: null,
      held: resource,
      origin: origin as CallOrigin,
      lentAt: this.#tracker.beginning(),
      hasCapability: capability !== undefined,
      capability,
      expectedUntil: 0,
      lastTouch: undefined,
      collected: false,
      ended: false,
    };
    this.#loans[id] = loan;
    this.loansOut++;
    this.#tracker.lent(loan);
    this.#tracker.active();
    return id;
  }

  settle(loan: Loan): void {
    const { graph, outside } = this.#tracker;
    const node = graph.born('lease', loan.origin.scope?.node ?? outside, () => {
      if (!loan.ended) this.#tracker.unheld(loan);
    });
    loan.node = node;
    this.#nodes[loan.id] = node;
    if (loan.held !== undefined) graph.reference(node, loan.held);
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodes[from];
    const held = this.#nodes[to];
    if (holder && held) this.#tracker.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#nodes[from];
    const held = this.#nodes[to];
    if (holder && held) this.#tracker.graph.unreference(holder, held);
  }

  freed(id: NodeId, reclaimed = false): void {
    const loan = this.#loans[id];
    if (loan !== undefined) {
      this.#end(loan, reclaimed);
      return;
    }
    this.#tracker.settleAll();
    const node = this.#nodes[id];
    if (node !== undefined && id !== ROOT) this.#leave(id, node);
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#loans[id];
    if (loan === undefined || !this.#tracker.plan.touches) return;
    loan.lastTouch = { hint, at: this.#tracker.now() };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#loans[id];
    if (loan !== undefined) loan.expectedUntil = this.#tracker.now() + millis;
  }

  #end(loan: Loan, reclaimed: boolean): void {
    const { id } = loan;
    loan.ended = true;
    loan.capability = undefined;
    this.#loans[id] = undefined;
    this.loansOut--;
    if (!reclaimed) this.holdTimes.record(this.#tracker.now() - loan.lentAt);
    if (loan.node === null) {
      this.#freeIds.push(id);
      return;
    }
    this.#leave(id, loan.node);
    this.#tracker.ended(loan, reclaimed);
  }

  #enter(node: LifetimeNode | undefined): NodeId {
    const id = this.#freeIds.pop() ?? this.#nodes.length;
    this.#nodes[id] = node;
    return id;
  }

  #leave(id: NodeId, node: LifetimeNode): void {
    this.#nodes[id] = undefined;
    this.#freeIds.push(id);
    this.#tracker.graph.unkeep(node);
  }
}
