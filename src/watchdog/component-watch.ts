/**
 * The observer of one watched component. It turns the calls of the probe (`core/probe.ts`) into nodes and edges of the
 * lifetime graph. It holds the records of the loans that are out.
 *
 * | call of the probe | what changes |
 * |---|---|
 * | `origin` | none; takes the caller's stack and scope |
 * | `allocated` | a node under its owner |
 * | `lent` | a loan, without a node until it is settled |
 * | `referenced`, `dropped`, `transferred` | an edge |
 * | `takenDirectly` | a loan whose caller is not known |
 * | `lasted` of a loan that was only counted | a loan whose caller is not known, or only to the component |
 * | `givenBackDirectly` | the loan ends; that is a misuse |
 * | `freed` of a loan | the loan ends; its node goes, if it has one |
 * | `freed` of another node | the node goes |
 * | `freed` of the root | the component has ended; the watch ends with its last loan |
 */
import { captureStack } from '../core/call-site.js';
import { guardedCall } from '../core/guarded-call.js';
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
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import { type CallOrigin, NO_ORIGIN, TAKEN_DIRECTLY } from './call-origin.js';
import type { HeapEvidence } from './heap-evidence.js';
import { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import { Loan, type LoanSource } from './loan.js';
import type { LoanSample } from './loan-sample.js';
import { LEASE, LoanSites } from './loan-sites.js';
import type { LoanTracker } from './loan-tracker.js';
import { NodeClasses } from './node-classes.js';
import { NodeTable, ROOT } from './node-table.js';
import { OpenScope } from './open-scope.js';
import type { NewlyWatched } from './present-nodes.js';
import { ReclaimedLoans } from './reclaimed-loans.js';
import { Shortage } from './shortage.js';
import { StackSample } from './stack-sample.js';

/** The id of each loan that is counted and not tracked. */
const UNTRACKED_ID: NodeId = -2;

/** The origin of a loan that is counted and not tracked. */
const UNTRACKED: Origin = {};

/** How long a component that has run dry lends nothing before it is asked for its loans, in milliseconds. */
const STILL_MILLIS = 15_000;

/** The generation of a loan that is not settled. */
const YOUNGEST: NodeGeneration = 0;

/** The watch over one component. The component keeps it; it holds the component weakly. */
export class ComponentWatch implements ObserverOfPart, LoanSource, NewlyWatched {
  readonly root: NodeId = ROOT;
  readonly asksForPresent = true;
  readonly countsMisuse: boolean;
  readonly holdTimes: HoldTimes = new HoldTimes();
  /** The component's node. Its handle is stale after {@link close}. */
  readonly node: LifetimeNode;
  readonly partName?: string;
  readonly #tracker: LoanTracker;
  readonly #ended: (watch: ComponentWatch) => void;
  readonly #whole: ComponentWatch | undefined;
  readonly #parts = new Set<ComponentWatch>();
  readonly #stackSample: StackSample;
  readonly #loanSample: LoanSample;
  readonly #table: NodeTable;
  readonly #sites: LoanSites;
  readonly #classes: NodeClasses;
  /** Loans that a forced close has taken back, and that their holders may still end. */
  readonly #reclaimed = new ReclaimedLoans();
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #releaseAdvice: string | undefined;
  #endedBy: string | undefined;
  #entryMillis = Number.POSITIVE_INFINITY;
  #shortage = new Shortage(undefined);
  /** Whether its parts lend what it lends: they run dry, it does not. */
  #hasParts = false;
  /** Whether the component reports the loans that last, so that one without a stack and an owner need not be tracked before. */
  #tellsLasting = false;
  /** The function of the component that lent the last loan that is not tracked. */
  #untrackedCall: EntryPoint | undefined;
  #hasEnded = false;
  #closed = false;
  /** When the last loan began, as far as is known, in milliseconds. */
  #lastLentAt = 0;
  /** Whether a loan that is not tracked has begun since the last look. */
  #hasLentUntracked = false;
  /** The origin of the last loan without a stack. Most loans of a scope have the same, and share it. */
  #lastOrigin: CallOrigin = NO_ORIGIN;
  /** How many loans are out that are counted only. */
  #untrackedOut = 0;
  #trackedOut = 0;

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
    if (part !== undefined) this.partName = part;
    this.countsMisuse = tracker.levelPlan.countsMisuse;
    this.#stackSample = new StackSample(tracker.levelPlan, tracker, tracker);
    this.#loanSample = tracker.newLoanSample();
    this.#classes = new NodeClasses(tracker.graph.heap, tracker.populations, this);
    const componentClass = tracker.graph.classOf('component');
    this.node =
      whole === undefined
        ? tracker.graph.allocateRoot(componentClass)
        : tracker.graph.allocate(componentClass, whole.node);
    this.#table = new NodeTable(this.node);
    tracker.holders.add(this, this.#table);
    this.#sites = new LoanSites(
      tracker.graph.heap,
      tracker.names,
      tracker.stacks,
      this,
      tracker.levelPlan.stackEvery === 1,
    );
  }

  get isAlone(): boolean {
    return this.#tracker.components === 1;
  }

  get kind(): string {
    return this.#whole?.kind ?? this.#kind;
  }

  get name(): string {
    return this.#whole?.name ?? this.#name;
  }

  get releaseAdvice(): string | undefined {
    return this.#releaseAdvice;
  }

  get endedBy(): string | undefined {
    return this.#endedBy;
  }

  get entryMillis(): number {
    return this.#entryMillis;
  }

  get youngCollections(): number {
    return this.#tracker.youngCollections;
  }

  get shortage(): Shortage {
    return this.#shortage;
  }

  /** How many loans are out, those of the parts included. */
  get loansOut(): number {
    let loans = this.#untrackedOut + this.#trackedOut;
    for (const part of this.#parts) loans += part.loansOut;
    return loans;
  }

  /** Gives the loans that are out, those of the parts included. */
  *loans(): IterableIterator<Loan> {
    yield* this.#table.loans();
    for (const part of this.#parts) yield* part.loans();
  }

  stats(): ComponentStats | undefined {
    return this.#observation?.deref()?.stats();
  }

  generationOf(loan: Loan): NodeGeneration {
    return loan.node === null ? YOUNGEST : this.#tracker.graph.heap.generation(loan.node.handle);
  }

  evidenceOf(loan: Loan): HeapEvidence {
    return this.#tracker.evidenceOf(loan);
  }

  /** Looks whether the component has run dry. O(1). */
  look(): void {
    for (const part of this.#parts) part.look();
    if (this.#hasLentUntracked) this.#lastLentAt = this.#tracker.loanTime();
    this.#hasLentUntracked = false;
    this.#haveComponentLook();
    if (this.#hasParts) return;
    const stats = this.stats();
    this.#shortage.look(stats, this.#lastLentAt);
    if (this.#shortage.isDry) this.#trackHolders(stats?.['borrowed'] ?? 0);
  }

  /**
   * Tracks all holders of a component that has run dry and lends nothing for a while, if it has more than are tracked. Tracks the next
   * loans, too, so that the next loss has its line. O(loans that are out).
   */
  #trackHolders(borrowed: number): void {
    const observation = this.#observation?.deref();
    const stillMillis = this.#tracker.loanTime() - this.#lastLentAt;
    if (observation?.reportLoans === undefined || borrowed <= this.#trackedOut) return;
    if (stillMillis < STILL_MILLIS) return;
    guardedCall(`the loans of ${this.#kind} "${this.#name}"`, () => observation.reportLoans?.());
    this.#loanSample.trackMany();
    this.#tracker.settleAll();
  }

  confirmsOut(loan: Loan): boolean {
    if (loan.ended) return true;
    this.#haveComponentLook();
    return !loan.ended;
  }

  attached(observation: Observation): void {
    this.#observation = new WeakRef(observation);
    this.#kind = observation.kind;
    this.#name = observation.name;
    this.#releaseAdvice = observation.releaseAdvice;
    this.#endedBy = observation.endedBy;
    this.#entryMillis = observation.entryMillis ?? Number.POSITIVE_INFINITY;
    this.#tellsLasting = observation.tellsLasting === true;
    this.#hasParts = observation.hasParts === true;
    if (!this.#hasParts) this.#shortage = new Shortage(observation.stats());
    const site = this.#tracker.names.of(this.#name);
    this.#classes.named(site, this.#table.nodes());
    this.#tracker.graph.heap.reclassify(this.node.handle, this.#kind, site);
    if (observation.reportPresent === undefined) return;
    this.#tracker.populations.reportBegins(site);
    this.#tracker.presentNodes.add(this);
  }

  reportPresent(most: number): boolean {
    const observation = this.#observation?.deref();
    if (observation === undefined || this.#closed) return false;
    const report = (): boolean | undefined => observation.reportPresent?.(most);
    return guardedCall(`the report of ${this.#kind} "${this.#name}"`, report) === true;
  }

  presentReported(): void {
    this.#tracker.populations.reportEnds(this.#classes.site);
  }

  /** Counts the component among those of its name. `stack` is the caller that has it watched. */
  joinPopulation(stack: string): void {
    const population = this.#tracker.populations.of({
      kind: this.#kind,
      site: this.#classes.site,
      isWeak: this.#endedBy === undefined,
      component: this,
    });
    population.madeBy({ call: { name: 'watch' }, stack, scope: undefined, owner: undefined });
  }

  captureNextStacks(): void {
    this.#loanSample.trackNext();
    this.#stackSample.captureNextStacks();
  }

  /**
   * Ends the watch: removes the component's nodes and loans. A loan that was taken back by force stays known if the component has
   * ended by itself: V8 may prove later that it was lost. O(nodes).
   */
  close(): void {
    if (this.#closed) return;
    this.#tracker.scopes.settleEnded();
    this.#closed = true;
    this.#observation?.deref()?.[Symbol.dispose]();
    for (const part of [...this.#parts]) part.close();
    for (const loan of this.#table.loans()) this.#endLoan(loan, true);
    if (!this.#hasEnded) {
      for (const loan of this.#reclaimed.takeAll()) this.#tracker.concludeReclaimed(loan);
    }
    if (this.#whole === undefined) {
      this.#tracker.components--;
      this.#tracker.graph.releaseRoot(this.node);
    } else {
      this.#whole.#parts.delete(this);
      this.#tracker.graph.removeOwner(this.node);
    }
    this.#table.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  origin(entry: EntryPoint): Origin {
    const tracker = this.#tracker;
    tracker.noteActivity();
    const scope = tracker.currentScope();
    const owner = tracker.holders.currentOwner();
    if (scope !== undefined) scope.activeAt = tracker.loanTime();
    const isOwned = scope !== undefined || owner !== undefined;
    if (!this.#loanSample.sampleNext(isOwned)) return this.#untracked(entry);
    if (this.#stackSample.sampleNext()) {
      const stack = captureStack(entry, tracker.levelPlan.stackDepth);
      return { call: entry, stack, scope, owner } satisfies CallOrigin;
    }
    if (this.#tellsLasting && !isOwned) return this.#untracked(entry);
    const last = this.#lastOrigin;
    if (last.call === entry && last.scope === scope && last.owner === owner) return last;
    this.#lastOrigin = { call: entry, stack: undefined, scope, owner };
    return this.#lastOrigin;
  }

  allocated(kind: NodeKind, owner: NodeId, origin?: Origin): NodeId {
    const ownerNode = this.#table.node(owner); // None after the end of the watch.
    if (ownerNode === undefined) return ROOT;
    this.#tracker.noteActivity();
    this.#classes.noteBirth(kind, origin as CallOrigin | undefined);
    return this.#table.add(this.#tracker.graph.allocate(this.#classes.of(kind), ownerNode));
  }

  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    if (this.#closed) return ROOT;
    const tracker = this.#tracker;
    if (origin === UNTRACKED) {
      this.#untrackedOut++;
      this.#hasLentUntracked = true;
      tracker.noteLoan();
      return UNTRACKED_ID;
    }
    const now = tracker.loanTime();
    this.#lastLentAt = now;
    const id = this.#track(held, origin as CallOrigin, now, capability);
    tracker.noteLoan();
    return id;
  }

  lasted(
    id: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined {
    if (this.#closed || (id !== undefined && id !== UNTRACKED_ID)) return id;
    if (id === UNTRACKED_ID) this.#untrackedOut--;
    const lentAt = this.#tracker.loanTime() - millis;
    if (caller === undefined) {
      const call = this.#untrackedCall ?? NO_ORIGIN.call;
      return this.#track(held, { ...NO_ORIGIN, call }, lentAt);
    }
    const { call, stack } = caller;
    return this.#track(held, { ...NO_ORIGIN, call: { name: call }, stack, isLate: true }, lentAt);
  }

  settle(loan: Loan): void {
    const { graph } = this.#tracker;
    const { owner } = loan.origin;
    const holder = this.#tracker.holders.ofCaller(loan.origin);
    const site = this.#sites.of(loan.origin);
    loan.site = site;
    if (site !== undefined) {
      const returnsSince = this.holdTimes.count - loan.returnsBefore; // Some while the loan was not settled, mostly of its site.
      loan.siteFreedBefore = Math.max(0, site.freed - returnsSince);
    }
    if (owner !== undefined && owner === holder) loan.ownerName = graph.nameOf(owner.handle);
    this.#tracker.allocateNode(loan, holder ?? this.node, site?.classId ?? this.#classes.of(LEASE));
    loan.isUnheld = holder === undefined;
    if (loan.held !== undefined) graph.reference(loan, loan.held);
  }

  abandoned(loan: Loan): void {
    const observation = this.#observation?.deref();
    if (observation?.abandoned === undefined || this.#closed) return;
    guardedCall(`the end of an abandoned loan of ${this.#kind} "${this.#name}"`, () =>
      observation.abandoned?.(loan.id),
    );
  }

  referenced(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#table.node(from);
    const held = this.#table.node(to);
    if (!holder || !held) return;
    if (held.owner === null && from === ROOT) this.#tracker.graph.setOwner(held, holder);
    else this.#tracker.graph.reference(holder, held);
  }

  dropped(from: NodeId, to: NodeId): void {
    this.#tracker.settleAll();
    const holder = this.#table.node(from);
    const held = this.#table.node(to);
    if (!holder || !held) return;
    if (held.owner === holder) this.#tracker.graph.removeOwner(held);
    else this.#tracker.graph.unreference(holder, held);
    this.#tracker.judgeUnheld();
  }

  freed(id: NodeId, reclaimed = false): void {
    if (id === UNTRACKED_ID) {
      if (!this.#closed) this.#untrackedOut--;
      if (this.#hasEnded) this.#closeIfDone();
      return;
    }
    const loan = this.#table.loan(id);
    if (loan !== undefined) {
      if (reclaimed) this.#judgeBeforeReclaim(loan);
      this.#endLoan(loan, reclaimed);
      if (this.#hasEnded) this.#closeIfDone();
      return;
    }
    if (id === ROOT) {
      this.#hasEnded = true;
      this.#closeIfDone();
      return;
    }
    const reclaimedLoan = this.#reclaimed.take(id);
    if (reclaimedLoan !== undefined) {
      this.#tracker.endedLate(reclaimedLoan);
      if (!this.#closed) this.#table.free(id);
      return;
    }
    const node = this.#table.node(id);
    if (node === undefined) return;
    this.#tracker.settleBeforeRemoval(node);
    this.#removeNode(id, node);
    this.#tracker.judgeUnheld();
  }

  takenDirectly(held: NodeId): NodeId {
    return this.lent(held, TAKEN_DIRECTLY);
  }

  givenBackDirectly(id: NodeId): void {
    const loan = this.#table.loan(id);
    if (loan === undefined) return;
    this.freed(id);
    this.#tracker.misused(loan, 'direct-release');
  }

  touched(id: NodeId, hint = 'touched'): void {
    const loan = this.#table.loan(id);
    if (loan === undefined || !this.#tracker.levelPlan.touches) return;
    loan.lastTouch = { hint, at: this.#tracker.now() };
  }

  expected(id: NodeId, millis: number): void {
    const loan = this.#table.loan(id);
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
    const loan = new Loan(this, ROOT, undefined, origin, this.#tracker.loanTime(), undefined);
    loan.end();
    this.#tracker.misused(loan, 'double-release');
  }

  transferred(id: NodeId, to: Holder): void {
    const { graph } = this.#tracker;
    this.#tracker.settleAll();
    const node = this.#table.node(id);
    const holder = this.#tracker.holders.of(to);
    if (node === undefined || holder === undefined) return;
    const loan = this.#table.loan(id);
    if (loan === undefined) {
      graph.changeOwnerOfAll(node, holder);
      return;
    }
    graph.changeOwner(node, holder);
    loan.isUnheld = false;
    loan.origin = {
      ...loan.origin,
      scope: to instanceof OpenScope ? to : undefined,
      owner: holder,
    };
    loan.ownerName = to instanceof OpenScope ? undefined : graph.nameOf(holder.handle);
    this.#tracker.withdraw(loan);
  }

  part(name: string): ComponentWatch {
    const part = new ComponentWatch(this.#tracker, this.#ended, this, name);
    this.#parts.add(part);
    return part;
  }

  #untracked(entry: EntryPoint): Origin {
    this.#untrackedCall = entry;
    return UNTRACKED;
  }

  #track(held: NodeId, origin: CallOrigin, lentAt: number, capability?: WeakKey): NodeId {
    const id = this.#table.nextId();
    const loan = new Loan(this, id, this.#table.node(held), origin, lentAt, capability);
    this.#table.add(loan);
    this.#trackedOut++;
    this.#tracker.track(loan);
    return id;
  }

  #haveComponentLook(): void {
    const observation = this.#observation?.deref();
    if (observation?.look === undefined || this.#closed) return;
    guardedCall(`the look of ${this.#kind} "${this.#name}" at its loans`, () =>
      observation.look?.(),
    );
  }

  /** A forced close ends a loan as its holder would. Before that, the rules see it as it is. */
  #judgeBeforeReclaim(loan: Loan): void {
    this.#tracker.settleAll();
    this.#tracker.judge(loan, this.#tracker.now());
  }

  #endLoan(loan: Loan, reclaimed: boolean): void {
    const tracker = this.#tracker;
    const { id } = loan;
    this.#trackedOut--;
    if (!reclaimed) this.#recordHold(loan);
    if (loan.node === null) {
      tracker.endedUnsettled(loan);
      loan.end();
      this.#table.free(id);
      return;
    }
    if (loan.held?.owner === null) tracker.settleAll(); // Another loan of the value may have no node yet, and hold it alone.
    const isKept = loan.hasCapability ? !loan.collected : tracker.ledger.has(loan);
    if (reclaimed && isKept && !this.#closed) {
      this.#table.unset(id);
      this.#reclaimed.add(loan);
      tracker.reclaimed(loan);
      return;
    }
    loan.end();
    this.#removeNode(id, loan);
    tracker.ended(loan, reclaimed);
  }

  #recordHold(loan: Loan): void {
    if (loan.origin.isDirect) return; // Nothing is known of those that ended between two looks, so the sample has the longest only.
    const holdMillis = this.#tracker.loanTime() - loan.lentAt;
    this.holdTimes.record(holdMillis);
    if (loan.node === null) this.#sites.of(loan.origin)?.recordShortLife(holdMillis);
    else loan.site?.holdTimes.record(holdMillis);
  }

  /** Ends the watch over a component that has ended, when all its loans have. */
  #closeIfDone(): void {
    if (this.loansOut > 0) return;
    if (this.#whole === undefined) this.#ended(this);
    else this.close();
  }

  #removeNode(id: NodeId, node: LifetimeNode): void {
    this.#table.free(id);
    this.#tracker.graph.removeOwner(node);
  }
}
