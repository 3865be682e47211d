/**
 * What the watchdog knows of one watched component besides its nodes and loans: its name, its figures, whether it is exhausted, and how
 * long its loans are held. The rules and the reports ask it about its loans. It holds the component weakly.
 */
import { guardedCall } from '../core/guarded-call.js';
import type { ComponentStats, LoanCounts, Observation } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import { CallerCapture } from './caller-capture.js';
import { countsOf, total } from './class-counts.js';
import type { HeapEvidence } from './heap-evidence.js';
import { HoldTimes } from './hold-times.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { Loan, LoanSource } from './loan.js';
import { LEASE, type LoanSite, LoanSites } from './loan-sites.js';
import type { LoanTracker } from './loan-tracker.js';
import { NodeClasses } from './node-classes.js';
import type { OpenScope } from './open-scope.js';
import type { Population } from './populations.js';
import { Shortage } from './shortage.js';

/** How long a component that is exhausted lends nothing before it is asked for its loans, in milliseconds. */
const STILL_MILLIS = 15_000;

/** The figures that limit the entries of a component. */
const BOUNDS = ['max', 'maxWeight'];

/** The generation of a loan that is not settled. */
const YOUNGEST: NodeGeneration = 0;

/** The loans of a component that are out. */
interface LoansOut {
  readonly out: number;
  readonly trackedOut: number;
  /** Whether, since the last call, a loan that is not tracked has begun or ended, or another resource has come back. */
  hasMoved(): boolean;
}

export class WatchedComponent implements LoanSource {
  readonly holdTimes: HoldTimes = new HoldTimes();
  readonly node: LifetimeNode;
  readonly partName?: string;
  releaseAdvice: string | undefined = undefined;
  endedBy: string | undefined = undefined;
  lendsShared = false;
  isUnlimited = false;
  entryMillis: number = Number.POSITIVE_INFINITY;
  isBounded = false;
  /** The classes of its nodes in the simulated heap. */
  readonly classes: NodeClasses;
  /** Who asks for its loans. */
  readonly callers: CallerCapture;
  /** When the watch or the last loan began, or the last resource came back, as far as is known, in milliseconds. */
  lastMovedAt: number;
  readonly #tracker: LoanTracker;
  readonly #whole: WatchedComponent | undefined;
  readonly #sites: LoanSites;
  #observation: WeakRef<Observation> | undefined;
  #kind = 'component';
  #name = '';
  #shortage = new Shortage(undefined);
  /** The components of its kind and name; `undefined` for a part. */
  #population: Population | undefined;
  /** How long the longest of its returned loans outside of scopes was held, in milliseconds. */
  #longestOutsideMillis = 0;
  /** How many of its loans are out and not tracked, at the last look. */
  #untrackedOut = 0;
  /** Whether its parts lend what it lends: they become exhausted, it does not. */
  #hasParts = false;
  #isClosed = false;

  /** `whole` is the component that this one is a part of, under the name `part`. */
  constructor(tracker: LoanTracker, whole?: WatchedComponent, part?: string) {
    this.#tracker = tracker;
    this.lastMovedAt = tracker.loanTime();
    this.#whole = whole;
    if (part !== undefined) this.partName = part;
    this.callers = new CallerCapture(tracker);
    this.classes = new NodeClasses(tracker.graph.heap, tracker.populations, this);
    const { graph } = tracker;
    const componentClass = graph.classOf('component');
    this.node =
      whole === undefined
        ? graph.allocateRoot(componentClass)
        : graph.allocate(componentClass, whole.node);
    this.#sites = new LoanSites(
      graph.heap,
      tracker.names,
      tracker.stacks,
      this,
      tracker.levelPlan.stackEvery === 1,
    );
  }

  // ── What the component says of itself ───────────────────────────────────────

  /** Takes the component's answer to being watched. `nodes` were reported before it. */
  attached(observation: Observation, nodes: Iterable<LifetimeNode>): void {
    this.#observation = new WeakRef(observation);
    this.#kind = observation.kind;
    this.#name = observation.name;
    this.releaseAdvice = observation.releaseAdvice;
    this.endedBy = observation.endedBy;
    this.entryMillis = observation.entryMillis ?? Number.POSITIVE_INFINITY;
    this.lendsShared = observation.lendsShared === true;
    this.isUnlimited = observation.isUnlimited === true;
    this.callers.tellsLasting = observation.tellsLasting === true;
    this.#hasParts = observation.hasParts === true;
    const stats = observation.stats();
    this.isBounded = BOUNDS.some((bound) => (stats[bound] ?? Infinity) < Infinity);
    this.#shortage = new Shortage(stats);
    const site = this.#tracker.names.code.of(this.#name);
    this.classes.named(site, nodes);
    this.#tracker.graph.heap.reclassify(this.node.handle, this.#kind, site);
  }

  /** Counts the component among those of its name. `stack` is the caller that has it watched. */
  joinPopulation(stack: string): void {
    this.#population = this.#tracker.populations.of({
      kind: this.#kind,
      site: this.classes.site,
      isWeak: this.endedBy === undefined,
      component: this,
    });
    this.#population.madeBy({ call: { name: 'watch' }, stack, scope: undefined, owner: undefined });
  }

  /** Tells the component that its watch has ended. Its nodes and the component itself count no longer. */
  close(): void {
    this.#isClosed = true;
    this.classes.noteAllLeaving();
    if (this.#population !== undefined) this.#population.leaving++;
    this.#observation?.deref()?.[Symbol.dispose]();
  }

  /** Removes the component's own node from the heap, after {@link close}. */
  removeNode(): void {
    if (this.#population !== undefined) this.#population.leaving--;
    const { graph } = this.#tracker;
    if (this.#whole === undefined) graph.releaseRoot(this.node);
    else graph.removeOwner(this.node);
  }

  get isClosed(): boolean {
    return this.#isClosed || this.#whole?.isClosed === true;
  }

  get kind(): string {
    return this.#whole?.kind ?? this.#kind;
  }

  get name(): string {
    return this.#whole?.name ?? this.#name;
  }

  get mayBeCollected(): boolean {
    return this.#tracker.mayBeCollected;
  }

  stats(): ComponentStats | undefined {
    return this.#observation?.deref()?.stats();
  }

  /** Has the component report nodes that existed before its watch. True while there are more. */
  reportPresent(most: number): boolean {
    const report = this.#guarded('report of its nodes', (observation) =>
      observation.reportPresent?.(most),
    );
    return report === true;
  }

  // ── Its loans ───────────────────────────────────────────────────────────────

  get youngCollections(): number {
    return this.#tracker.youngCollections;
  }

  /** Whether it is exhausted by itself, or with all parts of its whole. */
  get shortage(): Shortage {
    const whole = this.#whole?.shortage;
    return whole?.isExhausted === true && !this.#shortage.isExhausted ? whole : this.#shortage;
  }

  /** Gives how many loans there are; `undefined` if the component reports each of them, or is gone. */
  loanCounts(): LoanCounts | undefined {
    return this.#observation?.deref()?.loanCounts?.();
  }

  /** Has the component report the loans that are out and that it has not reported. O(loans). */
  reportLoans(): void {
    this.#guarded('report of its loans', (observation) => observation.reportLoans?.());
  }

  /** Looks whether the component is exhausted. O(1), and O(loans) when it is exhausted and has holders that are not tracked. */
  look(loans: LoansOut): void {
    this.#haveComponentLook();
    this.#untrackedOut = loans.out - loans.trackedOut;
    if (loans.hasMoved()) this.lastMovedAt = this.#tracker.loanTime();
    if (this.#hasParts) {
      this.#lookAtTotal();
      return;
    }
    if (this.#whole !== undefined) {
      this.#whole.lastMovedAt = Math.max(this.#whole.lastMovedAt, this.lastMovedAt);
    }
    const stats = this.stats();
    this.#shortage.look(stats, this.lastMovedAt);
    const borrowed = stats?.['borrowed'] ?? 0;
    if (this.shortage.isExhausted && borrowed > loans.trackedOut) this.#trackHolders();
  }

  /** Looks whether the parts have lent all that they may have together. They have looked before. O(parts) if there is such a limit. */
  #lookAtTotal(): void {
    const max = this.#observation?.deref()?.maxTotal?.() ?? Number.POSITIVE_INFINITY;
    if (max < Number.POSITIVE_INFINITY) {
      this.#shortage.look({ ...this.stats(), max }, this.lastMovedAt);
    }
  }

  confirmsOut(loan: Loan): boolean {
    if (loan.ended) return true;
    this.#haveComponentLook();
    return !loan.ended;
  }

  captureNextStacks(): void {
    this.callers.captureNextStacks();
  }

  settle(loan: Loan): void {
    const { graph, holders } = this.#tracker;
    const { owner } = loan.origin;
    const holder = holders.ofCaller(loan.origin);
    const site = this.#sites.of(loan.origin);
    loan.site = site;
    if (site !== undefined) {
      const returnsSince = this.holdTimes.count - loan.returnsBefore; // Some while the loan was not settled, mostly of its site.
      loan.siteFreedBefore = Math.max(0, site.freed - returnsSince);
    }
    if (owner !== undefined && owner === holder) loan.ownerName = graph.nameOf(owner.handle);
    graph.allocateFor(loan, site?.classId ?? this.classes.of(LEASE), holder ?? this.node);
    loan.isUnheld = holder === undefined;
    if (loan.held !== undefined && !this.isClosed) graph.reference(loan, loan.held); // A closed one may have lost it.
  }

  /** A loan has another owner: `scope`, the process, or a stack. The stack is a part of the caller, so the neighbours of the loan stay. */
  handedOver(loan: Loan, scope: OpenScope | undefined, owner: LifetimeNode): void {
    const { graph, outsideScopes } = this.#tracker;
    const isHandedOver = scope !== undefined || owner === outsideScopes;
    const site = isHandedOver ? this.#sites.handedOver(loan.site, scope) : loan.site;
    loan.handOver({ ...loan.origin, scope, owner, isHandedOver });
    this.#moveTo(site, loan);
    if (isHandedOver && loan.held !== undefined) loan.held.isMade = true; // What it owns is judged by the loan on it.
    loan.ownerName = isHandedOver ? undefined : graph.nameOf(owner.handle);
  }

  scopeRenamed(loan: Loan): void {
    const { origin, site } = loan;
    const isHandedOver = origin.isHandedOver === true;
    this.#moveTo(
      isHandedOver ? this.#sites.handedOver(site, origin.scope) : this.#sites.of(origin),
      loan,
    );
  }

  /** Records how long a loan was held that its holder has ended. */
  recordHold(loan: Loan): void {
    if (loan.origin.isDirect) return; // Nothing is known of those that ended between two looks, so the sample has the longest only.
    const now = this.#tracker.loanTime();
    this.lastMovedAt = now;
    const holdMillis = now - loan.lentAt;
    const { scope } = loan.origin;
    if (scope !== undefined) scope.returned++;
    else if (holdMillis > this.#longestOutsideMillis) this.#longestOutsideMillis = holdMillis;
    this.holdTimes.record(holdMillis);
    const isSettled = loan.node !== null;
    const site = isSettled ? loan.site : this.#sites.of(loan.origin);
    if (site !== undefined && loan.isLateWork) site.lateWorkReturns = true;
    if (!isSettled) {
      site?.recordShortLife(holdMillis);
      return;
    }
    site?.holdTimes.record(holdMillis);
    const { lateSince } = loan;
    if (lateSince !== undefined && this.#tracker.ledger.has(loan)) {
      site?.lateTimes.record(now - lateSince);
    }
  }

  abandoned(loan: Loan): void {
    this.#guarded('end of an abandoned loan', (observation) => observation.abandoned?.(loan.id));
  }

  generationOf(loan: Loan): NodeGeneration {
    return loan.node === null ? YOUNGEST : this.#tracker.graph.heap.generation(loan.node.handle);
  }

  longestOf({ site, origin }: Loan): number {
    const ofSite = site?.holdTimes.longestMillis ?? 0;
    const hasPlace =
      origin.scope !== undefined ||
      origin.isHandedOver === true ||
      (site !== undefined && this.#sites.hasAllStacks);
    return hasPlace ? ofSite : Math.max(ofSite, this.#longestOutsideMillis);
  }

  outAtSite({ site }: Loan): number {
    const classId = site?.classId ?? this.classes.of(LEASE);
    const { live } = countsOf(this.#tracker.graph.heap, classId);
    return total(live) + this.#untrackedOut; // These may be of the same line.
  }

  evidenceOf({ node, site, cycle }: Loan): HeapEvidence {
    const { graph } = this.#tracker;
    const fullCollections = graph.heap.gc.getStats()[2].collections;
    return {
      path: node === null ? [] : graph.pathTo(node),
      ...(cycle !== undefined && { cycle }),
      ...(site !== undefined && { counters: { ...site.counts, fullCollections } }),
    };
  }

  /** The loans of `site` are the neighbours of a settled loan from now on. */
  #moveTo(site: LoanSite | undefined, loan: Loan): void {
    loan.site = site;
    loan.siteFreedBefore = site?.freed ?? 0;
    if (site !== undefined) this.#tracker.graph.heap.reclassifyAs(loan.handle, site.classId);
  }

  /**
   * Tracks all holders of a component that is exhausted, if it has lent nothing for a while. Tracks the next loans, too, so that the next
   * loss has its line. O(loans that are out).
   */
  #trackHolders(): void {
    if (this.#observation?.deref()?.reportLoans === undefined) return;
    if (this.#tracker.loanTime() - this.lastMovedAt < STILL_MILLIS) return;
    this.reportLoans();
    this.callers.trackMany();
    this.#tracker.settleAll();
  }

  #haveComponentLook(): void {
    if (this.#observation?.deref()?.look === undefined) return;
    this.#guarded('look at its loans', (observation) => observation.look?.());
  }

  /** Calls the component, which may throw. Without effect after the end of the watch. */
  #guarded<R>(what: string, call: (observation: Observation) => R): R | undefined {
    const observation = this.#observation?.deref();
    if (observation === undefined || this.isClosed) return undefined;
    return guardedCall(`the ${what}, by ${this.#kind} "${this.#name}"`, () => call(observation));
  }
}
