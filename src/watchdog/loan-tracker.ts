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
import type { Clock } from '../core/clock.js';
import type { EventListeners } from '../core/event-listeners.js';
import { BaseHeap } from '../gc/base-heap.js';
import { makeCPythonCollector } from '../gc/collectors/cpython-collector.js';
import { ActivityClock } from './activity-clock.js';
import { LeakLedger, type LedgerEvents } from './leak-ledger.js';
import { LEVELS, type LevelPlan } from './level.js';
import { LifetimeGraph, type LifetimeNode } from './lifetime-graph.js';
import type { Loan } from './loan.js';
import type { Rule } from './rules/rule.js';
import { createRules, type LeakRule, precedes } from './rules/rules.js';
import { type ScopeListener, type ScopeRecord, Scopes } from './scopes.js';
import { UnsettledLoans } from './unsettled-loans.js';
import type { WatchdogSettings } from './watchdog-options.js';

/** The active rules by the hook that they implement, so that a loan costs no look at the others. */
type RulesByHook = Readonly<Record<Exclude<keyof Rule, 'name'>, readonly Rule<LeakRule>[]>>;

/** The loans of one watchdog's components. Its methods are the host of {@link ComponentWatch}. */
export class LoanTracker implements ScopeListener {
  /** What the program owns, as nodes of the simulated heap. */
  readonly graph: LifetimeGraph;
  /** The figures of the watchdog's level. */
  readonly levelPlan: LevelPlan;
  /** The root that holds the loans taken outside of any scope. */
  readonly outsideScopes: LifetimeNode;
  /** The loans that count as lost. */
  readonly ledger: LeakLedger;
  /** The scopes that are running. */
  readonly scopes: Scopes;
  readonly #clock: Clock;
  readonly #rules: RulesByHook;
  readonly #unsettled: UnsettledLoans;
  readonly #activity: ActivityClock;
  /**
   * Loans that became unheld while the heap freed a scope. They are judged afterwards: a listener must not run within the
   * heap.
   */
  readonly #unheld: Loan[] = [];
  readonly #tellsMisuse: boolean;
  #loans = 0;

  constructor(settings: WatchdogSettings, listeners: EventListeners<LedgerEvents>) {
    this.#clock = settings.clock;
    this.levelPlan = LEVELS[settings.level === 'off' ? 'counters' : settings.level];
    this.ledger = new LeakLedger(
      settings.maxRecords,
      settings.graceMillis,
      settings.clock,
      listeners,
    );
    const rules = createRules(
      settings.rules,
      this.levelPlan.confirm,
      (loan) => this.judge(loan, this.now()),
      settings.graceMillis,
    );
    this.#tellsMisuse = rules.some((rule) => rule.name === 'double-release');
    this.#rules = {
      settled: rules.filter((rule) => rule.settled !== undefined),
      judge: rules.filter((rule) => rule.judge !== undefined),
      ended: rules.filter((rule) => rule.ended !== undefined),
    };
    this.graph = new LifetimeGraph(new BaseHeap({}, makeCPythonCollector));
    this.outsideScopes = this.graph.allocateRoot('outside');
    this.scopes = new Scopes(this.graph, this);
    this.#unsettled = new UnsettledLoans(settings.clock, (loan) => this.#settle(loan));
    this.#activity = new ActivityClock(this.graph.heap.gc, settings.nursery, () =>
      this.settleAll(),
    );
  }

  /** Whether an active rule judges loans while they are out. */
  get needsSweep(): boolean {
    return this.#rules.judge.length > 0;
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
  currentScope(): ScopeRecord | undefined {
    return this.scopes.current();
  }

  /** Counts a request or the birth of a node, by which loans age. May collect. */
  noteActivity(): void {
    this.#activity.tick();
  }

  /** The start time of the next loan, in milliseconds. */
  nextLentAt(): number {
    return this.#unsettled.nextLentAt();
  }

  /** Called when a loan has begun. */
  lent(loan: Loan): void {
    this.#loans++;
    this.#unsettled.add(loan);
  }

  /** Settles every loan that is out. Call it before the graph is looked at or changed. */
  settleAll(): void {
    this.#unsettled.settleAll();
  }

  /**
   * Called within the heap when a settled loan that is still out has no holder any more. Saves the loan's node under its
   * component.
   */
  unheld(loan: Loan): void {
    if (loan.node === null) return;
    this.graph.setOwner(loan.node, loan.component.node);
    loan.isUnheld = true;
    this.#unheld.push(loan);
  }

  /** Called when a settled loan has ended. `reclaimed` says that its component took it back by force. */
  ended(loan: Loan, reclaimed: boolean): void {
    for (const rule of this.#rules.ended) rule.ended?.(loan);
    if (reclaimed) this.ledger.reclaimed(loan);
    else this.ledger.returned(loan);
  }

  /**
   * Asks the rules about a loan that is out: those further up the list than the rule under which it counts as lost, and that
   * rule again. A loan whose holder expects to keep it is not lost. Without effect if it is not settled.
   */
  judge(loan: Loan, now: number): void {
    if (loan.node === null) return;
    if (now < loan.expectedUntil) {
      this.ledger.withdraw(loan);
      return;
    }
    for (const rule of this.#rules.judge) {
      const counted = this.ledger.ruleOf(loan);
      if (counted !== undefined && precedes(counted, rule.name)) return;
      const certainty = rule.judge?.(loan, now);
      if (certainty !== undefined) this.ledger.record(rule.name, certainty, loan);
      else if (counted === rule.name) this.ledger.withdraw(loan);
    }
  }

  /** Counts a loan that was ended twice, if that rule is active. */
  misused(loan: Loan): void {
    if (this.#tellsMisuse) this.ledger.noteMisuse('double-release', loan);
  }

  /** Gives the loans of the scope their nodes, so that its end is seen in their reference counts. */
  scopeEnding(): void {
    this.settleAll();
  }

  /** Asks the rules about the loans that the scope has left behind. */
  scopeEnded(): void {
    this.judgeUnheld();
  }

  /** Asks the rules about the loans that no other node holds any more, in the order in which they were taken. */
  judgeUnheld(): void {
    if (this.#unheld.length === 0) return;
    const now = this.now();
    for (let loan = this.#unheld.pop(); loan !== undefined; loan = this.#unheld.pop()) {
      this.judge(loan, now);
    }
  }

  #settle(loan: Loan): void {
    loan.component.settle(loan);
    for (const rule of this.#rules.settled) rule.settled?.(loan, loan.capability);
    loan.capability = undefined;
    if (loan.isUnheld) this.judge(loan, this.now());
  }
}
