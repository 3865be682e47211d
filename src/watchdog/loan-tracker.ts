/**
 * Follows each loan of the watched components from its start to its end, and asks the rules for their verdicts.
 *
 * ```
 *   lent ──▶ unsettled ──some microtasks──▶ settled ──▶ ended       it came back; if it counted as lost: retracted
 *               │                              │
 *               └──▶ ended, without a trace    ├──▶ unheld          its scope ended first: rules judge
 *                                              └──▶ still out       sweep or check: rules judge
 * ```
 */
import { BurstClock } from '../core/burst-clock.js';
import type { EventListeners } from '../core/event-listeners.js';
import { BaseHeap } from '../gc/base-heap.js';
import { makeSteppedCollector } from '../gc/collectors/stepped-collector.js';
import { ActivityClock } from './activity-clock.js';
import { SiteNames } from './bounded-names.js';
import { Collections } from './collections.js';
import { ForcedReturns } from './forced-returns.js';
import { Holders } from './holders.js';
import { LeakLedger, type LedgerEvents } from './leak-ledger.js';
import { LEVELS, type LevelPlan } from './level.js';
import { LifetimeGraph, type LifetimeNode } from './lifetime-graph.js';
import { Loan } from './loan.js';
import { LoanSample, TRACKED_PER_SECOND } from './loan-sample.js';
import type { OpenScope } from './open-scope.js';
import { ParsedStacks } from './parsed-stacks.js';
import { PerSecondLimit } from './per-second-limit.js';
import { Populations } from './populations.js';
import { PresentNodes } from './present-nodes.js';
import type { Readings } from './readings.js';
import { Removals } from './removals.js';
import { RuleRunner } from './rule-runner.js';
import { createRules } from './rules/rules.js';
import type { RunningClock } from './running-clock.js';
import { ScopeClasses } from './scope-classes.js';
import { type ScopeListener, Scopes } from './scopes.js';
import { SettledLoans } from './settled-loans.js';
import { UnsettledLoans } from './unsettled-loans.js';
import type { WatchdogSettings } from './watchdog-options.js';

/** The longest time between the end of a scope and the verdict on the loans that it has left behind, in milliseconds. */
const LATE_RELEASE_MILLIS = 200;

/** The loans of one watchdog's components. Its methods are the host of {@link ComponentWatch}. */
export class LoanTracker implements ScopeListener {
  /** What the program owns, as nodes of the simulated heap. */
  readonly graph: LifetimeGraph;
  /** The figures of the watchdog's level. */
  readonly levelPlan: LevelPlan;
  /** The most stacks of a component in one second, for a level that takes each. */
  readonly stacksPerSecond: number;
  /** How many loans of a component have their stacks taken at its start, for such a level. */
  readonly firstStacks: number;
  /** The root that holds the loans taken outside of any scope. */
  readonly outsideScopes: LifetimeNode;
  /** The loans that count as lost. */
  readonly ledger: LeakLedger;
  /** Asks the rules. */
  readonly rules: RuleRunner;
  /** The loans that were taken back by force, and whose holders may still end them. */
  readonly forcedReturns: ForcedReturns;
  /** The scopes that are running. */
  readonly scopes: Scopes;
  /** Who holds a loan. */
  readonly holders: Holders;
  /** The names of sites in the simulated heap. */
  readonly names: SiteNames = new SiteNames();
  /** The frames of stacks. */
  readonly stacks: ParsedStacks = new ParsedStacks();
  /** The live objects by kind and site. */
  readonly populations: Populations;
  /** The nodes that components had before they were watched. */
  readonly presentNodes: PresentNodes;
  /** The nodes that have ended, and that the heap has until a later turn. */
  readonly removals: Removals;
  /** The full collections of both heaps. */
  readonly collections: Collections;
  readonly #clock: RunningClock;
  readonly #unsettled: UnsettledLoans;
  readonly #settled: SettledLoans;
  readonly #loanClock: BurstClock;
  readonly #trackedLimit: PerSecondLimit = new PerSecondLimit(TRACKED_PER_SECOND);
  readonly #sampleEvery: number;
  readonly #activity: ActivityClock;
  /** Whether a loan may come back just after its scope before it is judged: no listener would be told yet. */
  readonly #waitsForLateReleases: boolean;
  /** How many components are watched, without their parts. */
  components = 0;
  #loans = 0;
  /** When a young generation was collected last, in milliseconds. */
  #collectedAt = Number.NEGATIVE_INFINITY;

  constructor(
    settings: WatchdogSettings,
    listeners: EventListeners<LedgerEvents>,
    readings: Readings,
  ) {
    this.#clock = settings.clock;
    this.removals = new Removals(settings.clock);
    this.stacksPerSecond = settings.stacksPerSecond;
    this.firstStacks = settings.firstStacks;
    this.levelPlan = LEVELS[settings.level === 'off' ? 'counters' : settings.level];
    this.ledger = new LeakLedger(settings, settings.clock, listeners);
    const rules = createRules(
      settings.rules,
      this.levelPlan.confirm,
      readings,
      settings.graceMillis,
    );
    this.rules = new RuleRunner(this.ledger, rules, () => this.now());
    const heap = new BaseHeap(
      { census: true, step: { millis: settings.clock.stepMillis } },
      makeSteppedCollector,
    );
    this.graph = new LifetimeGraph(heap, (node) => {
      if (node instanceof Loan && !node.ended) this.unheld(node);
    });
    this.populations = new Populations(heap, () => this.now());
    this.collections = new Collections(
      heap,
      settings.clock,
      settings.fullCollectionMillis,
      this.levelPlan.confirm,
      {
        heapCollected: () => {
          this.scopes.countOld(this.now());
          this.populations.count();
        },
        v8Collected: () => this.#settled.judgeAfterCollection(),
        died: (loan) => this.ledger.retract(loan),
      },
    );
    this.outsideScopes = this.graph.allocateRoot(this.graph.classOf('process'));
    const scopeClasses = new ScopeClasses(this.names.scopes, this.populations);
    this.scopes = new Scopes(this.graph, scopeClasses, this);
    this.holders = new Holders(this.graph, this.scopes, this.outsideScopes);
    this.#unsettled = new UnsettledLoans(
      settings.clock,
      this.levelPlan.confirm,
      () => this.scopes.settleEnded(),
      (loan) => this.#settle(loan),
    );
    this.#waitsForLateReleases = settings.graceMillis >= LATE_RELEASE_MILLIS;
    this.#settled = new SettledLoans(settings.clock, (loan) => this.#judgeSettled(loan));
    this.forcedReturns = new ForcedReturns(
      this.graph,
      this.ledger,
      this.#settled,
      this.levelPlan.confirm,
    );
    this.#loanClock = new BurstClock(settings.clock, settings.clock.isReal);
    this.#sampleEvery = settings.sampleEvery;
    this.#activity = new ActivityClock(this.graph.heap.gc, settings.youngCollectionEvery, () =>
      this.#settleForCollection(),
    );
    this.presentNodes = new PresentNodes(settings.clock, this.#activity);
  }

  /** How many loans were reported since the start, and how many others of the components whose watches have ended. */
  get loans(): number {
    return this.#loans;
  }

  /** The watchdog's time, in milliseconds. */
  now(): number {
    return this.#clock.now();
  }

  /** The scope of the current async flow. */
  currentScope(): OpenScope | undefined {
    return this.scopes.current();
  }

  /** The age of the loan that was settled first, in milliseconds; 0 if none is out. O(1). */
  oldestLoanMillis(): number {
    const { first } = this.#settled;
    return first === null ? 0 : this.now() - first.lentAt;
  }

  /** Counts a request or the birth of a node, by which loans age. May collect. */
  noteActivity(): void {
    this.#activity.tick();
  }

  /** Makes the sample of the loans of one component. */
  newLoanSample(): LoanSample {
    return new LoanSample(
      this.levelPlan.tracking,
      this.#sampleEvery,
      this.#clock,
      this,
      this.#trackedLimit,
    );
  }

  /** The time at which a loan begins or ends just now, in whole milliseconds. */
  loanTime(): number {
    return this.#loanClock.now();
  }

  /** How often young generations of the simulated heap were collected. */
  get youngCollections(): number {
    return this.#activity.youngCollections;
  }

  /** Whether V8 may have collected a capability since all loans were looked at. */
  get mayBeCollected(): boolean {
    return this.#settled.mayBeCollected;
  }

  /** Follows a loan until its end. */
  track(loan: Loan): void {
    const { scope } = loan.origin;
    if (scope !== undefined) scope.unsettled++;
    this.#unsettled.add(loan);
  }

  /** Counts loans of a component that were not reported, at the end of its watch. */
  noteUnreported(loans: number): void {
    this.#loans += loans;
  }

  /** Counts a loan that was reported. */
  noteLoan(): void {
    this.#loans++;
    this.#activity.tick();
  }

  /** Called when a loan ends before it is settled. */
  endedUnsettled(loan: Loan): void {
    const { scope } = loan.origin;
    this.#unsettled.remove(loan);
    if (scope !== undefined && --scope.unsettled === 0 && scope.isEnding) {
      this.scopes.lastLoanReturned(scope);
    }
  }

  /** Settles every loan that is out. Call it before the graph is changed. */
  settleAll(): void {
    this.#unsettled.settleAll();
    this.scopes.settleEnded();
  }

  /** Settles what the removal of a node may concern: nothing, if it holds no other node and no unsettled loan refers to it. */
  settleBeforeRemoval(node: LifetimeNode): void {
    if (this.graph.holdsNodes(node) || this.#unsettled.mayConcern(node)) this.settleAll();
  }

  /** Settles every loan that is out and every scope. Call it before the heap is looked at or collected. */
  settleHeap(): void {
    this.settleAll();
    this.scopes.settleAll();
  }

  /** Settles every loan and keeps no capability. Call it before V8's collector runs. */
  releaseCapabilities(): void {
    this.settleAll();
    this.#unsettled.releaseCapabilities();
  }

  /**
   * Called within the heap when a settled loan that is still out has no holder any more. Saves the loan's node under its
   * component.
   */
  unheld(loan: Loan): void {
    const { node, component } = loan;
    if (node === null || component.node === undefined) return;
    const cycle = this.graph.cycleHolding(node);
    if (cycle.length > 0) loan.cycle = cycle;
    else loan.isUnheld = true;
    this.graph.setOwner(node, component.node);
    this.rules.becameUnheld(loan);
  }

  /** Called when a settled loan has ended. `reclaimed` says that its component took it back by force. */
  ended(loan: Loan, reclaimed: boolean): void {
    this.#settled.remove(loan);
    if (reclaimed) this.ledger.reclaimed(loan);
    else this.ledger.retract(loan);
  }

  /** Asks the rules about all settled loans that are out. O(loans). */
  judgeAll(): void {
    this.rules.judgeUnheld();
    this.#settled.judgeAll();
  }

  /** Asks the rules about all settled loans that are out, in slices. */
  judgeInSlices(): void {
    this.rules.judgeUnheld();
    this.#settled.judgeInSlices();
  }

  /** Asks the rules about the objects that are no loans. `isForced` says that a check has just had V8 collect. */
  judgeObjects(isForced: boolean): void {
    const { expectations, v8 } = this.collections;
    this.rules.judgeObjects(this.populations, expectations, v8, isForced);
  }

  /** Ends all that looks by itself. */
  close(): void {
    this.#unsettled.close();
    this.presentNodes.close();
    this.collections.close();
    this.ledger.close();
  }

  scopeEnding(): void {
    if (!this.#waitsForLateReleases) this.scopes.settleEnded();
  }

  settleLoansOfEnding(unsettled: number): void {
    this.#unsettled.settleOfEnding(unsettled);
  }

  scopeRenamed(owned: readonly LifetimeNode[]): void {
    for (const node of owned) {
      if (node instanceof Loan) node.component.scopeRenamed(node);
    }
  }

  /** Asks the rules about the loans that the scope has left behind. */
  scopeEnded(): void {
    this.rules.judgeUnheld();
  }

  /**
   * Settles what began before the last young collection. Of a busy pool that is hardly a loan: one that ends sooner would pay several times
   * its cost for a node that no collection promotes.
   */
  #settleForCollection(): void {
    const before = this.#collectedAt;
    this.#collectedAt = this.loanTime();
    this.#unsettled.settleUntil(before);
    this.scopes.settleEnded();
    this.scopes.settleUntil(before);
  }

  #judgeSettled(loan: Loan): void {
    this.rules.judge(loan, this.now());
    if (!loan.collected) return;
    if (loan.isReclaimed) this.forcedReturns.conclude(loan);
    else if (this.rules.findsAbandoned) loan.component.abandoned(loan);
  }

  #settle(loan: Loan): void {
    const { scope } = loan.origin;
    if (scope !== undefined) scope.unsettled--;
    loan.component.settle(loan);
    this.#settled.add(loan);
    if (loan.isUnheld) this.rules.judge(loan, this.now());
  }
}
