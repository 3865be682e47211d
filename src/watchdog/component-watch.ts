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
import type { NodeGeneration } from '../gc/node-generation.js';
import { HoldTimes } from './hold-times.js';
import { ARMED_LOANS, type LevelPlan } from './level.js';
import type { LifetimeGraph, LifetimeNode } from './lifetime-graph.js';
import type { Loan, LoanOrigin, LoanSource } from './loan.js';
import type { ScopeRecord } from './scope-record.js';

/** What the watch of a component needs of its watchdog. */
export interface WatchHost {
  readonly graph: LifetimeGraph;
  readonly plan: LevelPlan;
  /** Keeps the loans that are taken outside of any scope. */
  readonly outside: LifetimeNode;
  now(): number;
  currentScope(): ScopeRecord | undefined;
  /** Something was asked for or born: the simulated heap's time goes by. */
  active(): void;
  lent(loan: Loan, capability: WeakKey | undefined): void;
  /** Nothing holds the loan any more, and it is still out. */
  orphaned(loan: Loan): void;
  /** The holder ended the loan, or the component took it back. */
  ended(loan: Loan, reclaimed: boolean): void;
}

/** The id of the component's own node. */
const ROOT: NodeId = 0;

export class ComponentWatch implements Observer, LoanSource {
  readonly root: NodeId = ROOT;
  readonly holdTimes: HoldTimes = new HoldTimes();
  /** The component's node; after {@link close} its handle is stale. */
  readonly node: LifetimeNode;
  readonly #host: WatchHost;
  readonly #nodes: (LifetimeNode | undefined)[];
  readonly #freeIds: NodeId[] = [];
  readonly #loans = new Map<NodeId, Loan>();
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #asked = 0;
  #armed = 0;
  #closed = false;

  constructor(host: WatchHost) {
    this.#host = host;
    this.node = host.graph.root('component');
    this.#nodes = [this.node];
  }

  get kind(): string {
    return this.#kind;
  }

  get name(): string {
    return this.#name;
  }

  /** How many loans are out. */
  get loansOut(): number {
    return this.#loans.size;
  }

  /** The loans that are out. */
  loans(): IterableIterator<Loan> {
    return this.#loans.values();
  }

  stats(): ComponentStats | undefined {
    return this.#observation?.deref()?.stats();
  }

  generationOf(loan: Loan): NodeGeneration {
    return this.#host.graph.heap.generation(loan.node.handle);
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
    this.#armed = ARMED_LOANS;
  }

  /** Ends the watch: the component reports nothing more, its nodes and loans are forgotten. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const [id, loan] of this.#loans) this.#end(id, loan, true);
    this.#host.graph.release(this.node);
    this.#nodes.length = 0;
  }

  origin(entry: EntryPoint): Origin {
    this.#host.active();
    const origin: LoanOrigin = {
      stack: this.#wantsStack() ? captureStack(entry, this.#host.plan.stackDepth) : undefined,
      scope: this.#host.currentScope(),
    };
    return origin;
  }

  allocated(kind: NodeKind, owner: NodeId): NodeId {
    const keeper = this.#nodes[owner];
    if (keeper === undefined) return ROOT;
    this.#host.active();
    return this.#enter(this.#host.graph.born(kind, keeper));
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    const { graph, outside } = this.#host;
    const from = origin as LoanOrigin;
    const loan: Loan = {
      component: this,
      node: graph.born('lease', from.scope?.node ?? outside, () => {
        if (!loan.ended) this.#host.orphaned(loan);
      }),
      origin: from,
      lentAt: this.#host.now(),
      hasCapability: capability !== undefined,
      expectedUntil: 0,
      lastTouch: undefined,
      collected: false,
      ended: false,
    };
    const resource = this.#nodes[held];
    if (resource !== undefined) graph.reference(loan.node, resource);
    const id = this.#enter(loan.node);
    this.#loans.set(id, loan);
    this.#host.active();
    this.#host.lent(loan, capability);
    return id;
  }

  referenced(from: NodeId, to: NodeId): void {
    const holder = this.#nodes[from];
    const held = this.#nodes[to];
    if (holder && held) this.#host.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    const holder = this.#nodes[from];
    const held = this.#nodes[to];
    if (holder && held) this.#host.graph.unreference(holder, held);
  }

  freed(id: NodeId, reclaimed = false): void {
    const loan = this.#loans.get(id);
    if (loan !== undefined) {
      this.#end(id, loan, reclaimed);
      return;
    }
    const node = this.#nodes[id];
    if (node !== undefined && id !== ROOT) this.#leave(id, node);
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#loans.get(id);
    if (loan === undefined || !this.#host.plan.touches) return;
    loan.lastTouch = { hint, at: this.#host.now() };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#loans.get(id);
    if (loan !== undefined) loan.expectedUntil = this.#host.now() + millis;
  }

  #wantsStack(): boolean {
    const { stackEvery, stackFirst } = this.#host.plan;
    if (stackEvery === 0) return false;
    if (this.#armed > 0) {
      this.#armed--;
      return true;
    }
    const asked = this.#asked++;
    return asked < stackFirst || asked % stackEvery === 0;
  }

  #end(id: NodeId, loan: Loan, reclaimed: boolean): void {
    loan.ended = true;
    this.#loans.delete(id);
    if (!reclaimed) this.holdTimes.record(this.#host.now() - loan.lentAt);
    this.#leave(id, loan.node);
    this.#host.ended(loan, reclaimed);
  }

  #enter(node: LifetimeNode): NodeId {
    const id = this.#freeIds.pop() ?? this.#nodes.length;
    this.#nodes[id] = node;
    return id;
  }

  #leave(id: NodeId, node: LifetimeNode): void {
    this.#nodes[id] = undefined;
    this.#freeIds.push(id);
    this.#host.graph.unkeep(node);
  }
}
