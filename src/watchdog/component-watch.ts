/**
 * The observer of one watched component. It turns the calls of the probe (`core/probe.ts`) into nodes and edges of the
 * lifetime graph, and into loans.
 *
 * ```
 *   component ──probe──▶ ComponentWatch ──▶ NodeTable            its nodes and loans, by id
 *                            ├──▶ ComponentLoans                 from start to end
 *                            └──▶ WatchedComponent               its name, its figures, whether it is exhausted
 *                                    └──▶ CallerCapture          who asks for its loans
 * ```
 *
 * | call of the probe | what changes |
 * |---|---|
 * | `origin`, `originToReport` | none; takes the caller's stack and scope |
 * | `allocated` | a node under its owner |
 * | `made` | none; what the node has leased while it was made is its own from now on |
 * | `ending` | none; what the node has leased has to come back soon |
 * | `lent` | a loan, without a node until it is settled |
 * | `referenced`, `dropped`, `transferred` | an edge |
 * | `takenDirectly` | a loan whose caller is not known |
 * | `lasted` of a loan that was only counted | a loan whose caller is not known, or only to the component |
 * | `givenBackDirectly` | the loan ends; that is a misuse |
 * | `freed` of a loan | the loan ends; its node goes, if it has one |
 * | `freed` of another node | the node goes |
 * | `freedMany` | the nodes count no longer, and go in slices |
 * | `freed` of the root | the component has ended; all its loans are tracked, and the watch ends with the last of them |
 */
import type {
  ComponentStats,
  EntryPoint,
  Holder,
  KnownCaller,
  Misuse,
  NodeId,
  NodeKind,
  Observation,
  ObserverOfPart,
  Origin,
} from '../core/probe.js';
import { type CallOrigin, TAKEN_DIRECTLY } from './call-origin.js';
import { UNTRACKED } from './caller-capture.js';
import { ComponentLoans } from './component-loans.js';
import type { LifetimeNode } from './lifetime-graph.js';
import { Loan } from './loan.js';
import type { LoanTracker } from './loan-tracker.js';
import { NodeTable, ROOT } from './node-table.js';
import { OpenScope } from './open-scope.js';
import type { NewlyWatched } from './present-nodes.js';
import { WatchedComponent } from './watched-component.js';

/** The watch over one component. The component keeps it; it holds the component weakly. */
export class ComponentWatch implements ObserverOfPart, NewlyWatched {
  readonly root: NodeId = ROOT;
  readonly asksForPresent = true;
  readonly countsMisuse: boolean;
  readonly #component: WatchedComponent;
  readonly #tracker: LoanTracker;
  readonly #ended: (watch: ComponentWatch) => void;
  readonly #whole: ComponentWatch | undefined;
  readonly #parts = new Set<ComponentWatch>();
  #table: NodeTable;
  readonly #loans: ComponentLoans;
  #componentEnded = false;
  #closed = false;

  /**
   * `ended` is called when the component has ended and all its loans have. `whole` is the watch over the component that this one is a
   * part of, under the name `part`.
   */
  constructor(
    tracker: LoanTracker,
    ended: (watch: ComponentWatch) => void,
    whole?: ComponentWatch,
    part?: string,
  ) {
    this.#tracker = tracker;
    if (whole === undefined) tracker.components++;
    this.#ended = ended;
    this.#whole = whole;
    this.countsMisuse = tracker.levelPlan.countsMisuse;
    const around = whole === undefined ? undefined : whole.#component;
    this.#component = new WatchedComponent(tracker, around, part);
    this.#table = new NodeTable(this.#component.node);
    this.#loans = new ComponentLoans(tracker, this.#component, this.#table);
    tracker.holders.add(this, this.#table);
  }

  // ── The watch ───────────────────────────────────────────────────────────────

  get receiver(): object {
    return this.#tracker;
  }

  get isAlone(): boolean {
    return this.#tracker.components === 1;
  }

  get hasEnded(): boolean {
    return this.#closed || this.#whole?.hasEnded === true;
  }

  get kind(): string {
    return this.#component.kind;
  }

  get name(): string {
    return this.#component.name;
  }

  /** How many loans are out, those of the parts included. */
  get loansOut(): number {
    let loans = this.#loans.out;
    for (const part of this.#parts) loans += part.loansOut;
    return loans;
  }

  /** How many of them are counted and not tracked. */
  get untrackedOut(): number {
    let loans = this.#loans.out - this.#loans.trackedOut;
    for (const part of this.#parts) loans += part.untrackedOut;
    return loans;
  }

  /** How many loans have begun that were not reported, as far as is known; those of the parts included. */
  get unreportedLoans(): number {
    let loans = this.#loans.unreported;
    for (const part of this.#parts) loans += part.unreportedLoans;
    return loans;
  }

  /** Gives the loans that are out, those of the parts included. */
  *loans(): IterableIterator<Loan> {
    yield* this.#table.loans();
    for (const part of this.#parts) yield* part.loans();
  }

  stats(): ComponentStats | undefined {
    return this.#component.stats();
  }

  /** Gives the watches over the parts, and then itself. */
  *withParts(): IterableIterator<ComponentWatch> {
    for (const part of this.#parts) yield* part.withParts();
    yield this;
  }

  /** Looks whether the component is exhausted; its parts look for themselves. Without effect after the end. O(1). */
  look(): void {
    if (!this.hasEnded) this.#component.look(this.#loans);
  }

  attached(observation: Observation): void {
    this.#component.attached(observation, this.#table.nodes());
    this.#loans.attached();
    if (observation.reportPresent === undefined) return;
    this.#tracker.populations.reportBegins(this.#component.classes.site);
    this.#tracker.presentNodes.add(this);
  }

  reportPresent(most: number): boolean {
    return this.#component.reportPresent(most);
  }

  presentReported(): void {
    this.#tracker.populations.reportEnds(this.#component.classes.site);
  }

  /** Counts the component among those of its name. `stack` is the caller that has it watched. */
  joinPopulation(stack: string): void {
    this.#component.joinPopulation(stack);
  }

  part(name: string): ComponentWatch {
    const part = new ComponentWatch(this.#tracker, this.#ended, this, name);
    this.#parts.add(part);
    return part;
  }

  /**
   * Ends the watch: the component's nodes and loans count no longer, and the simulated heap loses them in slices. A loan that was taken
   * back by force stays known if the component has ended by itself: V8 may prove later that it was lost.
   */
  close(): void {
    if (this.hasEnded) return; // The end of the whole ends its parts.
    this.#tracker.scopes.settleEnded();
    this.#tracker.noteUnreported(this.unreportedLoans);
    if (this.#whole === undefined) this.#tracker.components--;
    else this.#whole.#parts.delete(this);
    this.#tracker.removals.add(this.#end());
  }

  /** Ends the watch, and gives the removal of its nodes. */
  #end(): Iterable<unknown> & Iterator<unknown> {
    const table = this.#table;
    this.#closed = true;
    this.#component.close();
    this.#table = new NodeTable();
    this.#tracker.holders.add(this, this.#table);
    return this.#removal(table, this.#loans.close(this.#componentEnded));
  }

  *#removal(table: NodeTable, loans: Iterable<unknown>): Generator<unknown> {
    for (const part of this.#parts) {
      yield* part.#end();
      yield;
    }
    yield* loans;
    for (const node of table.youngestFirst()) {
      if (node !== undefined && !(node instanceof Loan)) this.#removeWithWatch(node);
      yield;
    }
    this.#component.removeNode();
  }

  /** Removes a node whose end is not known. Nothing says that the loans which it owns have lost their holder: the process has them. */
  #removeWithWatch(node: LifetimeNode): void {
    const { graph, outsideScopes } = this.#tracker;
    if (!graph.heap.isAlive(node.handle)) return;
    this.#component.classes.noteRemoval(node, true);
    if (graph.holdsNodes(node)) graph.changeOwnerOfAll(node, outsideScopes);
    graph.removeOwner(node);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  // ── Births ──────────────────────────────────────────────────────────────────

  origin(entry: EntryPoint): Origin {
    return this.#component.callers.capture(entry);
  }

  originToReport(entry: EntryPoint, stack?: string): Origin | undefined {
    const origin = this.#component.callers.capture(entry, stack);
    if (origin !== UNTRACKED) return origin;
    this.#tracker.noteActivity(); // The birth of the loan.
    return undefined;
  }

  allocated(kind: NodeKind, owner: NodeId, origin?: Origin): NodeId {
    const ownerNode = this.#table.node(owner); // None after the end of the watch.
    if (ownerNode === undefined) return ROOT;
    const { classes } = this.#component;
    this.#tracker.noteActivity();
    classes.noteBirth(kind, origin as CallOrigin | undefined);
    return this.#table.add(this.#tracker.graph.allocate(classes.of(kind), ownerNode));
  }

  made(id: NodeId): void {
    const node = this.#table.node(id);
    if (node !== undefined) node.isMade = true;
  }

  ending(id: NodeId): void {
    const node = this.#table.node(id);
    if (node?.isMade === true) node.endingSince = this.#tracker.now();
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    return this.#loans.lent(held, origin, capability);
  }

  lasted(
    id: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined {
    return this.#loans.lasted(id, held, millis, caller);
  }

  takenDirectly(held: NodeId): NodeId {
    return this.#loans.lent(held, TAKEN_DIRECTLY);
  }

  // ── Edges ───────────────────────────────────────────────────────────────────

  referenced(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#table.node(from);
    const held = this.#table.node(to);
    if (!holder || !held) return;
    if (from === ROOT && held.hasUntrackedLease === true) held.hasUntrackedLease = false;
    else if (held.owner === null && from === ROOT) this.#tracker.graph.setOwner(held, holder);
    else this.#tracker.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#table.node(from);
    const held = this.#table.node(to);
    if (!holder || !held || (from === ROOT && held.hasUntrackedLease === true)) return;
    if (held.owner === holder) this.#tracker.graph.removeOwner(held);
    else this.#tracker.graph.unreference(holder, held);
    this.#tracker.rules.judgeUnheld();
  }

  transferred(id: NodeId, to: Holder): void {
    const { graph } = this.#tracker;
    this.#tracker.settleAll();
    const node = this.#table.node(id);
    const holder = this.#tracker.holders.of(to);
    if (node === undefined || holder === undefined) return;
    const loan = this.#table.loan(id);
    if (loan === undefined) {
      for (const owned of graph.changeOwnerOfAll(node, holder)) {
        if (owned instanceof Loan) this.#passOn(owned, holder);
      }
      return;
    }
    graph.changeOwner(node, holder);
    this.#component.handedOver(loan, to instanceof OpenScope ? to : undefined, holder);
    this.#tracker.ledger.retract(loan);
  }

  /** A loan has another owner, since its former one has given all that it owns away; a root owns it for the scope that took it. */
  #passOn(loan: Loan, owner: LifetimeNode): void {
    const isRoot = owner.isRoot === true;
    loan.origin = { ...loan.origin, owner: isRoot ? undefined : owner };
    loan.ownerName = isRoot ? undefined : this.#tracker.graph.nameOf(owner.handle);
  }

  // ── Ends and uses ──────────────────────────────────────────────────────────

  freed(id: NodeId, reclaimed = false): void {
    if (this.#loans.end(id, reclaimed)) {
      if (this.#componentEnded) this.#closeIfDone();
    } else if (id === ROOT) {
      this.#componentEnded = true;
      this.#component.reportLoans();
      this.#closeIfDone();
    } else {
      this.#endNode(id);
    }
  }

  #endNode(id: NodeId): void {
    const node = this.#table.node(id);
    if (node === undefined) return;
    this.#component.classes.noteRemoval(node, false);
    this.#remove(id, node, this.#table);
  }

  freedMany(kind: NodeKind, nodes: Iterable<NodeId>, count: number): void {
    if (this.#closed) return;
    const left = this.#component.classes.noteLeaving(kind, count);
    this.#tracker.removals.add(this.#removalOf(kind, nodes, left, this.#table));
  }

  /** `left` is how many nodes were counted as leaving. Some of them may not have been reported yet. */
  *#removalOf(
    kind: NodeKind,
    nodes: Iterable<NodeId>,
    left: number,
    table: NodeTable,
  ): Generator<undefined> {
    const { classes } = this.#component;
    let unknown = left;
    for (const id of nodes) {
      const node = table.node(id);
      if (node !== undefined && this.#tracker.graph.heap.isAlive(node.handle)) {
        classes.noteRemoval(node, true);
        unknown--;
        this.#remove(id, node, table);
      }
      yield;
    }
    if (!this.#closed) classes.noteLeaving(kind, -unknown);
  }

  #remove(id: NodeId, node: LifetimeNode, table: NodeTable): void {
    this.#tracker.settleBeforeRemoval(node);
    table.free(id);
    this.#tracker.graph.removeOwner(node);
    this.#tracker.rules.judgeUnheld();
  }

  givenBackDirectly(id: NodeId): void {
    const loan = this.#table.loan(id);
    if (loan === undefined) return;
    this.freed(id);
    this.#tracker.rules.misused(loan, 'direct-release');
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#table.loan(id);
    if (loan === undefined) return;
    const at = this.#tracker.now();
    const { lastTouch, lentAt } = loan;
    const gapMillis = at - (lastTouch?.at ?? lentAt);
    loan.lastTouch = {
      hint,
      at,
      longestGapMillis: Math.max(gapMillis, lastTouch?.longestGapMillis ?? 0),
    };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#table.loan(id);
    if (loan === undefined) return;
    const now = this.#tracker.now();
    loan.expectedUntil = now + millis;
    this.#tracker.rules.judge(loan, now);
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
    const loan = new Loan(
      this.#component,
      ROOT,
      undefined,
      origin,
      this.#tracker.loanTime(),
      undefined,
    );
    loan.end();
    this.#tracker.rules.misused(loan, 'double-release');
  }

  /** Ends the watch over a component that has ended, when all its loans have. */
  #closeIfDone(): void {
    if (this.loansOut > 0) return;
    if (this.#whole === undefined) this.#ended(this);
    else this.close();
  }
}
