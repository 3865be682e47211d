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
import type { Clock } from '../core/clock.js';
import type { EventListeners } from '../core/event-listeners.js';
import { nextTurn } from '../core/host-timers.js';
import { BaseHeap } from '../gc/base-heap.js';
import { makeSteppedCollector } from '../gc/collectors/stepped-collector.js';
import { ActivityClock } from './activity-clock.js';
import { BoundedNames } from './bounded-names.js';
import { NO_ORIGIN } from './call-origin.js';
import type { Certainty } from './certainty.js';
import { Expectations } from './expectations.js';
import { FullCollections } from './full-collections.js';
import type { HeapEvidence } from './heap-evidence.js';
import { Holders } from './holders.js';
import { LeakLedger, type LedgerEvents } from './leak-ledger.js';
import { LEVELS, type LevelPlan } from './level.js';
import { LifetimeGraph, type LifetimeNode } from './lifetime-graph.js';
import { Loan } from './loan.js';
import { LoanSample } from './loan-sample.js';
import type { OpenScope } from './open-scope.js';
import { ParsedStacks } from './parsed-stacks.js';
import { PlainSource } from './plain-source.js';
import { Populations } from './populations.js';
import { PresentNodes } from './present-nodes.js';
import type { Readings } from './readings.js';
import { SURVIVED_COLLECTIONS } from './rules/retained.js';
import type { MisuseRule, Rule } from './rules/rule.js';
import { createRules, type LeakRule, precedes, RULES } from './rules/rules.js';
import { SCOPE, type ScopeListener, Scopes } from './scopes.js';
import { SettledLoans } from './settled-loans.js';
import { UnsettledLoans } from './unsettled-loans.js';
import { V8Collections } from './v8-collections.js';
import type { WatchdogSettings } from './watchdog-options.js';

/** The active rules by the hook that they implement, so that a loan costs no look at the others. */
type RulesByHook = Readonly<
  Record<Exclude<keyof Rule, 'name'> | 'judgeReclaimed', readonly Rule<LeakRule>[]>
>;

/** How many loans that a forced close has taken back are judged on. */
const MOST_RECLAIMED = 10_000;

/** The longest time of 16 starts or ends of loans that share a reading of the clock, in milliseconds. */
const BURST_MILLIS = 0.1;

/** The kind of objects that are expected to die. */
const EXPECTED = 'expected';

/** For how many turns of the event loop no death may be told until all were. */
const QUIET_TURNS = 3;

/** For how many turns deaths are waited for at most. */
const MOST_TURNS = 2_000;

/** How long after a collection V8 has told of all deaths, in milliseconds. */
const V8_SETTLED_MILLIS = 1_000;

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
  /** The scopes that are running. */
  readonly scopes: Scopes;
  /** Who holds a loan. */
  readonly holders: Holders;
  /** The names of sites in the simulated heap. */
  readonly names: BoundedNames = new BoundedNames();
  /** The frames of stacks. */
  readonly stacks: ParsedStacks = new ParsedStacks();
  /** The live objects by kind and site. */
  readonly populations: Populations;
  /** The nodes that components had before they were watched. */
  readonly presentNodes: PresentNodes;
  /** The full collections of the simulated heap. */
  readonly fullCollections: FullCollections;
  /** V8's full collections. */
  readonly v8: V8Collections;
  /** The objects that are expected to die. */
  readonly expectations: Expectations;
  readonly #clock: Clock;
  readonly #rules: RulesByHook;
  readonly #unsettled: UnsettledLoans;
  readonly #settled: SettledLoans;
  readonly #loanClock: BurstClock;
  readonly #sampleEvery: number;
  readonly #activity: ActivityClock;
  readonly #findsAbandoned: boolean;
  /** Whether a loan may come back just after its scope before it is judged: no listener would be told yet. */
  readonly #waitsForLateReleases: boolean;
  /**
   * Loans that became unheld while the heap freed a scope. They are judged afterwards: a listener must not run within the
   * heap.
   */
  readonly #unheld: Loan[] = [];
  #lastScopeName: string | undefined;
  #lastScopeClass = 0;
  /** The loans that were taken back by force, and whose holders may still end them. */
  readonly #reclaimed = new Set<Loan>();
  /** The classes of scopes by their sites. */
  readonly #scopeClasses = new Map<string, number>();
  /** How many components are watched, without their parts. */
  components = 0;
  #loans = 0;
  /** How many of V8's full collections the last survey knew of. */
  #surveyedV8 = 0;

  constructor(
    settings: WatchdogSettings,
    listeners: EventListeners<LedgerEvents>,
    readings: Readings,
  ) {
    this.#clock = settings.clock;
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
    this.#findsAbandoned = rules.some(({ name }) => name === 'abandoned');
    this.#rules = {
      judge: rules.filter((rule) => rule.judge !== undefined),
      judgeReclaimed: rules.filter(({ name }) => RULES[name].judgesReclaimed === true),
      survey: rules.filter((rule) => rule.survey !== undefined),
      tellsMisuse: rules.filter((rule) => rule.tellsMisuse !== undefined),
    };
    const heap = new BaseHeap({ census: true }, makeSteppedCollector);
    this.graph = new LifetimeGraph(heap, (node) => {
      if (node instanceof Loan && !node.ended) this.unheld(node);
    });
    this.populations = new Populations(heap, () => this.now());
    this.fullCollections = new FullCollections(
      heap,
      settings.clock,
      settings.fullCollectionMillis,
      () => this.populations.count(),
    );
    this.v8 = new V8Collections(
      () => this.now(),
      this.levelPlan.confirm,
      () => {
        this.expectations.survived(1);
        this.#settled.judgeAfterCollection();
      },
    );
    this.expectations = new Expectations(heap, (loan) => this.ledger.returned(loan));
    this.outsideScopes = this.graph.allocateRoot(this.graph.classOf('outside'));
    this.scopes = new Scopes(this.graph, this);
    this.holders = new Holders(this.graph, this.scopes, this.outsideScopes);
    this.#unsettled = new UnsettledLoans(
      settings.clock,
      this.levelPlan.confirm,
      () => this.scopes.settleEnded(),
      (loan) => this.#settle(loan),
    );
    this.#waitsForLateReleases = settings.graceMillis >= LATE_RELEASE_MILLIS;
    this.#settled = new SettledLoans((loan) => this.#judgeSettled(loan));
    this.#loanClock = new BurstClock(settings.clock, BURST_MILLIS);
    this.#sampleEvery = settings.sampleEvery;
    this.#activity = new ActivityClock(this.graph.heap.gc, settings.nursery, () =>
      this.settleHeap(),
    );
    this.presentNodes = new PresentNodes(settings.clock, this.#activity);
  }

  /** Whether an active rule judges while loans are out. */
  get needsSweep(): boolean {
    return this.#rules.judge.length > 0 || this.#rules.survey.length > 0;
  }

  /** How many loans have begun since the start. */
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
    return new LoanSample(this.levelPlan.tracking, this.#sampleEvery, this.#clock);
  }

  /** The time at which a loan begins or ends just now, in whole milliseconds. */
  loanTime(): number {
    return this.#loanClock.now();
  }

  /** How often young generations of the simulated heap were collected. */
  get youngCollections(): number {
    return this.#activity.youngCollections;
  }

  classOfScope(name: string): number {
    if (name !== this.#lastScopeName) {
      this.#lastScopeName = name;
      this.#lastScopeClass = this.#findClassOfScope(name);
    }
    return this.#lastScopeClass;
  }

  #findClassOfScope(name: string): number {
    const site = this.names.of(name);
    let classId = this.#scopeClasses.get(site);
    if (classId === undefined) {
      const component = new PlainSource(SCOPE, site);
      classId = this.populations.of({ kind: SCOPE, site, isWeak: false, component }).classId;
      this.#scopeClasses.set(site, classId);
    }
    return classId;
  }

  /** Gives what the simulated heap shows of a loan. */
  evidenceOf({ node, site, cycle }: Loan): HeapEvidence {
    const { heap } = this.graph;
    const fullCollections = heap.gc.getStats()[2].collections;
    return {
      path: node === null ? [] : this.graph.pathTo(node),
      ...(cycle !== undefined && { cycle }),
      ...(site !== undefined && { counters: { ...site.counts, fullCollections } }),
    };
  }

  /** Follows a loan until its end. */
  track(loan: Loan): void {
    const { scope } = loan.origin;
    if (scope !== undefined) scope.unsettled++;
    this.#unsettled.add(loan);
  }

  /** Counts a loan that has begun. */
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
    const cycle = this.#cycleThrough(node);
    if (cycle.length > 0) loan.cycle = cycle;
    else loan.isUnheld = true;
    this.graph.setOwner(node, component.node);
    this.#unheld.push(loan);
  }

  /** Called when a settled loan has ended. `reclaimed` says that its component took it back by force. */
  ended(loan: Loan, reclaimed: boolean): void {
    this.#settled.remove(loan);
    if (reclaimed) this.ledger.reclaimed(loan);
    else this.ledger.returned(loan);
  }

  /** Called when a component has taken back a loan by force. */
  reclaimed(loan: Loan): void {
    loan.reclaim(this.levelPlan.confirm);
    this.graph.removeOwner(loan);
    this.#reclaimed.add(loan);
    const [oldest] = this.#reclaimed;
    if (this.#reclaimed.size > MOST_RECLAIMED && oldest !== undefined) {
      this.concludeReclaimed(oldest);
    }
  }

  /** Called when the holder of a loan that was taken back by force has ended it after all. */
  endedLate(loan: Loan): void {
    if (!loan.isReclaimed) return;
    this.#forgetReclaimed(loan);
    this.ledger.returned(loan);
  }

  /** Judges a loan that was taken back by force no more: it stays lost, if it is. */
  concludeReclaimed(loan: Loan): void {
    if (!loan.isReclaimed) return;
    this.#forgetReclaimed(loan);
    this.ledger.reclaimed(loan);
  }

  #forgetReclaimed(loan: Loan): void {
    this.#reclaimed.delete(loan);
    this.#settled.remove(loan);
    loan.end();
  }

  /** Stops counting a loan as lost: it has another holder. */
  withdraw(loan: Loan): void {
    this.ledger.withdraw(loan);
  }

  /**
   * Asks the rules about a loan that is out: those further up the list than the rule under which it counts as lost, and that
   * rule again. A loan whose holder expects to keep it is not lost. Without effect if it is not settled, and if it has ended.
   */
  judge(loan: Loan, now: number): void {
    const { isReclaimed } = loan;
    if (loan.node === null || (loan.ended && !isReclaimed)) return;
    if (now < loan.expectedUntil) {
      this.ledger.withdraw(loan);
      return;
    }
    for (const rule of isReclaimed ? this.#rules.judgeReclaimed : this.#rules.judge) {
      const counted = this.ledger.ruleOf(loan);
      if (counted !== undefined && precedes(counted, rule.name)) return;
      const certainty = rule.judge?.(loan, now);
      if (certainty !== undefined) this.ledger.record(rule.name, certainty, loan, now);
      else if (counted === rule.name) this.ledger.withdraw(loan);
    }
  }

  /** Asks the rules about all settled loans that are out. O(loans). */
  judgeAll(): void {
    this.judgeUnheld();
    this.#settled.judgeAll();
  }

  /** Asks the rules about all settled loans that are out, in slices. */
  judgeInSlices(): void {
    this.judgeUnheld();
    this.#settled.judgeInSlices();
  }

  /** Counts a mistake with a loan that has ended, if the rule for it is active. */
  misused(loan: Loan, misuse: MisuseRule): void {
    for (const rule of this.#rules.tellsMisuse) {
      if (rule.tellsMisuse?.(misuse) === true) this.ledger.noteMisuse(rule.name, loan);
    }
  }

  /** Asks the rules about what is no loan. `isForced` says that a check has just had V8 collect. */
  survey(isForced: boolean): void {
    const now = this.now();
    const { populations, expectations, v8 } = this;
    const isSettled = isForced || now - v8.lastAt >= V8_SETTLED_MILLIS;
    const isV8Known = v8.count > this.#surveyedV8 && isSettled;
    if (isV8Known) {
      this.#surveyedV8 = v8.count;
      populations.deathsTold();
    }
    for (const rule of this.#rules.survey) {
      const tell = (certainty: Certainty | undefined, loan: Loan): void => {
        if (certainty !== undefined) this.ledger.record(rule.name, certainty, loan, now);
        else if (this.ledger.has(loan)) this.ledger.withdraw(loan);
      };
      rule.survey?.({ now, populations, expectations, isV8Known, isForced, tell });
    }
  }

  /** Waits for the death of an object. `stack` is the caller that expects it. */
  expectCollected(target: WeakKey, why: string, stack: string): void {
    const site = this.names.of(why);
    const now = this.now();
    const loan = new PlainSource(EXPECTED, site).loan(now);
    loan.origin = { ...NO_ORIGIN, stack, scope: this.currentScope() };
    this.expectations.add(target, EXPECTED, site, loan, now);
  }

  /** A check has had V8 collect. Waits until V8 has told of all deaths, then collects the simulated heap. */
  async collectedByV8(): Promise<void> {
    const { heap } = this.graph;
    for (let quiet = 0, freed = -1, turn = 0; quiet < QUIET_TURNS && turn < MOST_TURNS; turn++) {
      const { allocated, live } = heap.stats();
      quiet = allocated - live === freed ? quiet + 1 : 0;
      freed = allocated - live;
      await nextTurn();
    }
    this.v8.noteOne();
    this.expectations.survived(SURVIVED_COLLECTIONS);
    this.settleHeap();
    await this.fullCollections.collect();
  }

  /** Ends all that looks by itself. */
  close(): void {
    this.#unsettled.close();
    this.presentNodes.close();
    this.fullCollections.close();
    this.v8.close();
    this.expectations.close();
    this.ledger.close();
  }

  scopeEnding(): void {
    if (!this.#waitsForLateReleases) this.scopes.settleEnded();
  }

  settleLoansOfEnding(unsettled: number): void {
    this.#unsettled.settleOfEnding(unsettled);
  }

  /** Asks the rules about the loans that the scope has left behind. */
  scopeEnded(): void {
    this.judgeUnheld();
  }

  /** Asks the rules about the loans that no other node holds any more, in the order in which they were taken. */
  judgeUnheld(): void {
    if (this.#unheld.length === 0) return;
    for (let loan = this.#unheld.pop(); loan !== undefined; loan = this.#unheld.pop()) {
      this.judge(loan, this.#unheldSince(loan));
    }
  }

  /** When a loan that is unheld became so: at the end of its scope, or just now. */
  #unheldSince({ origin: { scope, owner }, lentAt }: Loan): number {
    const isOfScope = owner === undefined && scope !== undefined && scope.ended;
    return isOfScope ? Math.max(scope.endedAt, lentAt) : this.now();
  }

  #judgeSettled(loan: Loan): void {
    this.judge(loan, this.now());
    if (!loan.collected) return;
    if (loan.isReclaimed) this.concludeReclaimed(loan);
    else if (this.#findsAbandoned) loan.component.abandoned(loan);
  }

  /** Names the cycle that keeps a loan or its owner alive; empty if there is none. */
  #cycleThrough(node: LifetimeNode): string[] {
    for (let at: LifetimeNode | null = node; at !== null && !at.isRoot; at = at.owner) {
      const names = this.graph.cycleThrough(at);
      if (names.length > 0) return names;
    }
    return [];
  }

  #settle(loan: Loan): void {
    const { scope } = loan.origin;
    if (scope !== undefined) scope.unsettled--;
    loan.component.settle(loan);
    this.#settled.add(loan);
    if (loan.isUnheld) this.judge(loan, this.now());
  }
}
