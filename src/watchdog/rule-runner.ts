/**
 * Asks the rules for their verdicts, and tells the ledger. A loan is judged when its owner has ended, in each sweep and in each check;
 * what is no loan in each sweep and each check.
 *
 * ```
 *   unheld, sweep, check ──▶ rules, in their order ──▶ ledger: lost, as sure as the rule is
 *                                    └── none ───────▶ ledger: not lost, or no longer so
 * ```
 */
import type { Certainty } from './certainty.js';
import type { Expectations } from './expectations.js';
import type { LeakLedger } from './leak-ledger.js';
import type { Loan } from './loan.js';
import type { Populations } from './populations.js';
import type { MisuseRule, Rule } from './rules/rule.js';
import { type LeakRule, precedes, RULES } from './rules/rules.js';
import type { V8Collections } from './v8-collections.js';

/** The active rules by the hook that they implement, so that a loan costs no look at the others. */
type RulesByHook = Readonly<
  Record<Exclude<keyof Rule, 'name'> | 'judgeReclaimed', readonly Rule<LeakRule>[]>
>;

/** How long after a collection V8 has told of all deaths, in milliseconds. */
const V8_SETTLED_MILLIS = 1_000;

export class RuleRunner {
  /** Whether a rule wants to know of loans that no code can end any more. */
  readonly findsAbandoned: boolean;
  readonly #ledger: LeakLedger;
  readonly #rules: RulesByHook;
  readonly #now: () => number;
  /**
   * Loans that became unheld while the heap freed a scope. They are judged afterwards: a listener must not run within the
   * heap.
   */
  readonly #unheld: Loan[] = [];
  /** How many of V8's full collections the last sweep or check knew of. */
  #knownV8 = 0;

  /** `rules` are the active ones, in their order. */
  constructor(ledger: LeakLedger, rules: readonly Rule<LeakRule>[], now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
    this.findsAbandoned = rules.some(({ name }) => name === 'abandoned');
    this.#rules = {
      judge: rules.filter((rule) => rule.judge !== undefined),
      judgeReclaimed: rules.filter(({ name }) => RULES[name].judgesReclaimed === true),
      judgeObjects: rules.filter((rule) => rule.judgeObjects !== undefined),
      tellsMisuse: rules.filter((rule) => rule.tellsMisuse !== undefined),
    };
  }

  /** Whether an active rule judges while loans are out. */
  get needsSweep(): boolean {
    return this.#rules.judge.length > 0 || this.#rules.judgeObjects.length > 0;
  }

  /**
   * Asks the rules about a loan that is out: those further up the list than the rule under which it counts as lost, and that
   * rule again. A loan whose holder expects to keep it is not lost. Without effect if it is not settled, if it has ended, and if the
   * watch over its component has.
   */
  judge(loan: Loan, now: number): void {
    const { isReclaimed } = loan;
    if (loan.node === null || (!isReclaimed && (loan.ended || loan.component.isClosed))) return;
    if (now < loan.expectedUntil) {
      this.#ledger.retract(loan);
      return;
    }
    for (const rule of isReclaimed ? this.#rules.judgeReclaimed : this.#rules.judge) {
      const counted = this.#ledger.ruleOf(loan);
      if (counted !== undefined && precedes(counted, rule.name)) return;
      const certainty = rule.judge?.(loan, now);
      if (certainty !== undefined) this.#ledger.record(rule.name, certainty, loan, now);
      else if (counted === rule.name) this.#ledger.retract(loan);
    }
  }

  /** Takes note of a loan that no other node holds any more. Called within the heap: {@link judgeUnheld} judges it. */
  becameUnheld(loan: Loan): void {
    this.#unheld.push(loan);
  }

  /** Asks the rules about the loans that no other node holds any more. */
  judgeUnheld(): void {
    if (this.#unheld.length === 0) return;
    for (let loan = this.#unheld.pop(); loan !== undefined; loan = this.#unheld.pop()) {
      this.judge(loan, loan.lateSince ?? this.#now());
    }
  }

  /** Counts a mistake with a loan that has ended, if the rule for it is active. */
  misused(loan: Loan, misuse: MisuseRule): void {
    for (const rule of this.#rules.tellsMisuse) {
      if (rule.tellsMisuse?.(misuse) === true) this.#ledger.noteMisuse(rule.name, loan);
    }
  }

  /** Asks the rules about the objects that are no loans. `isForced` says that a check has just had V8 collect. */
  judgeObjects(
    populations: Populations,
    expectations: Expectations,
    v8: V8Collections,
    isForced: boolean,
  ): void {
    const now = this.#now();
    const isSettled = isForced || now - v8.lastAt >= V8_SETTLED_MILLIS;
    const isV8Known = v8.count > this.#knownV8 && isSettled;
    if (isV8Known) {
      this.#knownV8 = v8.count;
      populations.deathsTold();
    }
    for (const rule of this.#rules.judgeObjects) {
      const tell = (certainty: Certainty | undefined, loan: Loan): void => {
        if (certainty !== undefined) this.#ledger.record(rule.name, certainty, loan, now);
        else if (this.#ledger.has(loan)) this.#ledger.retract(loan);
      };
      rule.judgeObjects?.({ now, populations, expectations, isV8Known, isForced, tell });
    }
  }
}
