/**
 * Follows each loan of the watched components from its start to its end, and has the rules judge it.
 *
 * ```
 *   lent ──▶ unsettled ──some microtasks──▶ settled ──▶ ended      the loan came back: retracted if it counted as lost
 *               │                             │
 *               └──▶ ended: leaves no trace   └──▶ unheld          its scope ended first: the rules judge
 * ```
 */
import type { Clock } from '../core/clock.js';
import type { EventListeners } from '../core/event-listeners.js';
import { BaseHeap } from '../gc/base-heap.js';
import { makeCPythonCollector } from '../gc/collectors/cpython-collector.js';
import { ActivityClock } from './activity-clock.js';
import type { Certainty } from './certainty.js';
import { LeakLedger, type LedgerEvents } from './leak-ledger.js';
import { LEVELS, type LevelPlan } from './level.js';
import { LifetimeGraph, type LifetimeNode } from './lifetime-graph.js';
import type { Loan } from './loan.js';
import { NewbornLoans } from './newborn-loans.js';
import type { Rule } from './rules/rule.js';
import { createRules, type LeakRule } from './rules/rules.js';
import { type ScopeListener, type ScopeRecord, Scopes } from './scopes.js';
import type { WatchdogSettings } from './watchdog-options.js';

export class LoanTracker implements ScopeListener {
  /** The simulated heap's view of what is alive. */
  readonly graph: LifetimeGraph;
  /** What the watchdog's level means, in figures. */
  readonly plan: LevelPlan;
  /** Holds the loans that are taken outside of any scope. */
  readonly outside: LifetimeNode;
  /** The loans that count as lost. */
  readonly ledger: LeakLedger;
  readonly scopes: Scopes;
  /** Whether a rule judges loans while they are out, so that a sweep is worth its timer. */
  readonly needsSweep: boolean;
  readonly #clock: Clock;
  readonly #rules: readonly Rule<LeakRule>[];
  readonly #newborns: NewbornLoans;
  readonly #activity: ActivityClock;
  /** Loans that became unheld while the heap freed a scope, judged afterwards: a listener must not run within the heap. */
  readonly #unheld: Loan[] = [];
  #loans = 0;

  constructor(settings: WatchdogSettings, listeners: EventListeners<LedgerEvents>) {
    this.#clock = settings.clock;
    this.plan = LEVELS[settings.level === 'off' ? 'counters' : settings.level];
    this.ledger = new LeakLedger(settings.maxRecords, settings.clock, listeners);
    this.#rules = createRules(settings.rules, this.plan.confirm, (rule, certainty, loan) =>
      this.ledger.enter(rule, certainty, loan),
    );
    this.needsSweep = this.#rules.some((rule) => rule.judge !== undefined);
    this.graph = new LifetimeGraph(new BaseHeap({}, makeCPythonCollector));
    this.outside = this.graph.root('outside');
    this.scopes = new Scopes(this.graph, this);
    this.#newborns = new NewbornLoans(settings.clock, (loan) => this.#settle(loan));
    this.#activity = new ActivityClock(this.graph.heap.gc, settings.nursery, () =>
      this.settleAll(),
    );
  }

  /** How many loans have begun. */
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

  /** Lets the simulated heap's time go by: something was asked for, or a node was born. */
  active(): void {
    this.#activity.tick();
  }

  /** The time at which the loan begins that is `lent` next. */
  beginning(): number {
    return this.#newborns.beginning();
  }

  /** Starts to follow a loan. */
  lent(loan: Loan): void {
    this.#loans++;
    this.#newborns.add(loan);
  }

  /** Settles every loan that is out: the graph is about to be looked at, or changed. */
  settleAll(): void {
    this.#newborns.settleAll();
  }

  /** Called within the heap when nothing holds a settled loan any more that is still out. */
  unheld(loan: Loan): void {
    if (loan.node === null) return;
    this.graph.keep(loan.node, loan.component.node);
    this.#unheld.push(loan);
  }

  /** Called when the holder has ended a settled loan, or the component has taken it back. */
  ended(loan: Loan, reclaimed: boolean): void {
    for (const rule of this.#rules) rule.ended?.(loan);
    if (reclaimed) this.ledger.reclaimed(loan);
    else this.ledger.returned(loan);
  }

  /** Has the rules judge a loan that is out, unless it counts as lost already. */
  judge(loan: Loan, now: number): void {
    if (loan.node === null) return;
    for (const rule of this.#rules) {
      if (!this.ledger.has(loan)) this.#enter(loan, rule.name, rule.judge?.(loan, now));
    }
  }

  scopeEnding(): void {
    this.settleAll();
  }

  scopeEnded(): void {
    for (let loan = this.#unheld.pop(); loan !== undefined; loan = this.#unheld.pop()) {
      for (const rule of this.#rules) this.#enter(loan, rule.name, rule.unheld?.(loan));
    }
  }

  #settle(loan: Loan): void {
    loan.component.settle(loan);
    for (const rule of this.#rules) rule.settled?.(loan, loan.capability);
    loan.capability = undefined;
  }

  #enter(loan: Loan, rule: LeakRule, certainty: Certainty | undefined): void {
    if (certainty !== undefined) this.ledger.enter(rule, certainty, loan);
  }
}
