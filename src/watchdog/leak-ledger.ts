/**
 * The leaks that the rules have found, grouped by rule, component, scope and line. A loan counts in one group at most, so
 * one mistake is never counted as several:
 *
 * | what happens to a counted loan | the ledger |
 * |---|---|
 * | a rule further up the list of rules finds it | moves it to a group of that rule |
 * | a rule further down the list finds it | makes its group as sure as that rule is |
 * | it comes back | removes it, and emits `retracted` |
 * | its component takes it back by force | counts it on: the holder did not release it |
 */
import type { Clock } from '../core/clock.js';
import { ConditionWaits } from '../core/condition-waits.js';
import type { EventListeners } from '../core/event-listeners.js';
import type { Certainty } from './certainty.js';
import { LeakGroup, signatureOf, stackOf } from './leak-group.js';
import type { LeakReport } from './leak-report.js';
import type { Loan } from './loan.js';
import { type LeakRule, precedes } from './rules/rules.js';

/** The events of a ledger, each with a report of the leak that has changed. */
export interface LedgerEvents {
  /** A leak was found, or its count has doubled. */
  readonly leak: LeakReport;
  /** A loan that counted as lost came back. */
  readonly retracted: LeakReport;
}

/** The leaks of one watchdog. */
export class LeakLedger {
  /** The leaks by signature. */
  readonly #groups = new Map<string, LeakGroup>();
  readonly #groupOf = new Map<Loan, LeakGroup>();
  readonly #maxGroups: number;
  readonly #clock: Clock;
  readonly #listeners: EventListeners<LedgerEvents>;
  /** Checks that wait until no loan counts as lost. */
  readonly #waits: ConditionWaits;
  #retracted = 0;
  #unreported = 0;
  #closed = false;

  /** Reports at most `maxGroups` leaks: those that were found or have grown last. The loans of the others are counted. */
  constructor(maxGroups: number, clock: Clock, listeners: EventListeners<LedgerEvents>) {
    this.#maxGroups = maxGroups;
    this.#clock = clock;
    this.#listeners = listeners;
    this.#waits = new ConditionWaits(clock);
  }

  /** How many loans count as lost. O(leaks). */
  get lost(): number {
    let lost = this.#unreported;
    for (const group of this.#groups.values()) lost += group.count;
    return lost;
  }

  /** How many loans count as lost and are in no report, because there are too many leaks. */
  get unreported(): number {
    return this.#unreported;
  }

  /** How many loans counted as lost and came back. */
  get retracted(): number {
    return this.#retracted;
  }

  /** Resolves when no loan counts as lost, when `graceMillis` are over, or when the ledger is closed. */
  async untilNoneLost(graceMillis: number): Promise<void> {
    await this.#waits.until(() => this.#closed || this.lost === 0, graceMillis);
  }

  /** Ends all waits. The reports stay. */
  close(): void {
    this.#closed = true;
    this.#waits.check();
  }

  /** Reports each leak, the most numerous first. O(leaks · log leaks). */
  reports(): LeakReport[] {
    const now = this.#clock.now();
    return [...this.#groups.values()]
      .map((group) => group.report(now))
      .sort((a, b) => b.count - a.count);
  }

  /** Whether a loan counts as lost. O(1). */
  has(loan: Loan): boolean {
    return this.#groupOf.has(loan);
  }

  /** Counts a loan that a rule has found to be lost, and emits `leak` when the count of its group has doubled. O(1). */
  record(rule: LeakRule, certainty: Certainty, loan: Loan): void {
    const counted = this.#groupOf.get(loan);
    if (counted !== undefined && precedes(counted.rule, rule)) {
      counted.confirm(certainty);
      return;
    }
    this.#remove(loan);
    const stack = stackOf(loan);
    const signature = signatureOf(rule, loan, stack);
    let group = this.#groups.get(signature);
    if (group === undefined) {
      if (this.#groups.size >= this.#maxGroups) this.#makeRoom();
      group = new LeakGroup(rule, loan, stack);
    }
    group.add(loan, certainty);
    this.#groups.delete(signature); // The leak that has grown last stands last.
    this.#groups.set(signature, group);
    this.#groupOf.set(loan, group);
    if (!group.hasSite) loan.component.captureNextStacks();
    if (isPowerOfTwo(group.count)) this.#listeners.emit('leak', group.report(this.#clock.now()));
  }

  /** Removes a loan that came back. O(1). */
  returned(loan: Loan): void {
    const group = this.#remove(loan);
    if (group === undefined) return;
    this.#retracted++;
    this.#listeners.emit('retracted', group.report(this.#clock.now()));
    this.#waits.check();
  }

  /** Forgets the record of a loan that its component took back by force; it stays counted. O(1). */
  reclaimed(loan: Loan): void {
    this.#groupOf.get(loan)?.reclaim(loan);
    this.#groupOf.delete(loan);
  }

  /** Removes a loan and gives the group that it was in. */
  #remove(loan: Loan): LeakGroup | undefined {
    const group = this.#groupOf.get(loan);
    if (group === undefined) return undefined;
    this.#groupOf.delete(loan);
    group.remove(loan);
    if (group.isUnreported) this.#unreported--;
    else if (group.count === 0) this.#groups.delete(group.signature);
    return group;
  }

  /** Stops reporting the leak that has not grown for the longest time. */
  #makeRoom(): void {
    const [oldest] = this.#groups.values();
    if (oldest === undefined) return;
    this.#groups.delete(oldest.signature);
    oldest.isUnreported = true;
    this.#unreported += oldest.count;
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}
