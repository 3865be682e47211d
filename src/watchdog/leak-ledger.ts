/**
 * The book of leaks. A loan stands in it at most once: when a second rule finds it, it moves or its group is confirmed, so
 * that one mistake is never counted as several. A loan that comes back late is taken out again.
 */

import type { Certainty } from './certainty.js';
import { LeakGroup, signatureOf, stackOf } from './leak-group.js';
import type { LeakReport } from './leak-report.js';
import type { Loan } from './loan.js';
import { type LeakRule, precedes } from './rules/rules.js';

/** Who is told. */
export interface LedgerEvents {
  leak(report: LeakReport): void;
  retracted(report: LeakReport): void;
  /** A loan was lost whose line is not known. */
  siteless(loan: Loan): void;
}

export class LeakLedger {
  readonly #groups = new Map<string, LeakGroup>();
  readonly #groupOf = new Map<Loan, LeakGroup>();
  readonly #maxGroups: number;
  readonly #now: () => number;
  readonly #events: LedgerEvents;

  constructor(maxGroups: number, now: () => number, events: LedgerEvents) {
    this.#maxGroups = maxGroups;
    this.#now = now;
    this.#events = events;
  }

  /** How many loans are lost and have not come back. */
  get lost(): number {
    let lost = 0;
    for (const group of this.#groups.values()) lost += group.count;
    return lost;
  }

  /** The leaks that have not come back, the most numerous first. */
  reports(): LeakReport[] {
    const now = this.#now();
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
      group = new LeakGroup(rule, certainty, loan, stack);
      this.#groups.set(signature, group);
    }
    group.add(loan);
    this.#groupOf.set(loan, group);
    if (!group.hasSite) this.#events.siteless(loan);
    if (isPowerOfTwo(group.count)) this.#events.leak(group.report(this.#now()));
  }

  /** The loan came back. */
  returned(loan: Loan): void {
    const group = this.#strike(loan);
    if (group !== undefined) this.#events.retracted(group.report(this.#now()));
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
