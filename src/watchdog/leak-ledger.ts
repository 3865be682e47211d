/**
 * The book of leaks. A loan stands in it at most once: when a second rule finds it, it moves or its group is confirmed, so
 * that one mistake is never counted as several. A loan that comes back late is taken out again.
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

export class LeakLedger {
  readonly #groups = new Map<string, LeakGroup>();
  readonly #groupOf = new Map<Loan, LeakGroup>();
  readonly #maxGroups: number;
  readonly #clock: Clock;
  readonly #listeners: EventListeners<LedgerEvents>;
  /** Checks that wait until no loan counts as lost. */
  readonly #waits: ConditionWaits;
  #retracted = 0;
  #closed = false;

  /** Keeps at most `maxGroups` leaks; later ones are not recorded. */
  constructor(maxGroups: number, clock: Clock, listeners: EventListeners<LedgerEvents>) {
    this.#maxGroups = maxGroups;
    this.#clock = clock;
    this.#listeners = listeners;
    this.#waits = new ConditionWaits(clock);
  }

  /** How many loans are lost and have not come back. */
  get lost(): number {
    let lost = 0;
    for (const group of this.#groups.values()) lost += group.count;
    return lost;
  }

  /** How many loans counted as lost and came back. */
  get retracted(): number {
    return this.#retracted;
  }

  /** Resolves when no loan counts as lost, when `graceMillis` are over, or when the ledger is closed. */
  async noneLost(graceMillis: number): Promise<void> {
    await this.#waits.until(() => this.#closed || this.lost === 0, graceMillis);
  }

  /** Ends all waits. The reports stay. */
  close(): void {
    this.#closed = true;
    this.#waits.check();
  }

  /** The leaks that have not come back, the most numerous first. */
  reports(): LeakReport[] {
    const now = this.#clock.now();
    return [...this.#groups.values()]
      .map((group) => group.report(now))
      .sort((a, b) => b.count - a.count);
  }

  /** Whether a loan counts as lost. */
  has(loan: Loan): boolean {
    return this.#groupOf.has(loan);
  }

  /** Enters a loan that a rule has found to be lost, or confirms it if an earlier rule of the list has. */
  enter(rule: LeakRule, certainty: Certainty, loan: Loan): void {
    const counted = this.#groupOf.get(loan);
    if (counted !== undefined && precedes(counted.rule, rule)) {
      counted.confirm(certainty);
      return;
    }
    this.#strike(loan);
    const stack = stackOf(loan);
    const signature = signatureOf(rule, loan, stack);
    let group = this.#groups.get(signature);
    if (group === undefined) {
      if (this.#groups.size >= this.#maxGroups) return;
      group = new LeakGroup(rule, loan, stack);
      this.#groups.set(signature, group);
    }
    group.add(loan, certainty);
    this.#groupOf.set(loan, group);
    if (!group.hasSite) loan.component.arm();
    if (isPowerOfTwo(group.count)) this.#listeners.emit('leak', group.report(this.#clock.now()));
  }

  /** The loan came back. */
  returned(loan: Loan): void {
    const group = this.#strike(loan);
    if (group === undefined) return;
    this.#retracted++;
    this.#listeners.emit('retracted', group.report(this.#clock.now()));
    this.#waits.check();
  }

  /** The loan's component took it back by force. */
  reclaimed(loan: Loan): void {
    this.#groupOf.get(loan)?.reclaim(loan);
    this.#groupOf.delete(loan);
  }

  /** Takes a loan out of the book, and returns the leak that it was part of. */
  #strike(loan: Loan): LeakGroup | undefined {
    const group = this.#groupOf.get(loan);
    if (group === undefined) return undefined;
    this.#groupOf.delete(loan);
    group.remove(loan);
    if (group.count === 0) this.#groups.delete(group.signature);
    return group;
  }
}

function isPowerOfTwo(count: number): boolean {
  return (count & (count - 1)) === 0;
}
