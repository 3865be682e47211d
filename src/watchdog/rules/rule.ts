/**
 * A rule: what counts as a leak, and what a report says about it. Each rule is a file of this folder and an entry of
 * `RULES`, the one list of rules.
 *
 * The watchdog tells every active rule about each loan, and asks for verdicts:
 *
 * ```
 *   lent ──▶ settled ──┬──▶ ended           the loan came back
 *                      └──▶ judge, …        it is out: the end of its owner, each sweep and each check ask
 * ```
 *
 * A loan that ends within a few microtasks is never settled, and no rule is told of it.
 */
import type { OptionTable } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Loan } from '../loan.js';

/** A rule at work in one watchdog. It implements the hooks that it needs. */
export interface Rule<N extends string = string> {
  /** Its key in `RULES`. */
  readonly name: N;
  /**
   * Called when a loan is still out after some microtasks. `capability` is the object that ends the loan, if there is one.
   * A rule must not keep it: V8 could then not collect it.
   */
  settled?(loan: Loan, capability: WeakKey | undefined): void;
  /**
   * Judges a settled loan that is out: when its owner ends, and in each sweep and each check. `now` is the watchdog's time in
   * milliseconds. Gives how sure the rule is that the loan is lost, if it is. A loan whose holder expects to keep it
   * (`expectHold`) is judged when that time is over.
   */
  judge?(loan: Loan, now: number): Certainty | undefined;
  /** Called when a settled loan ends. */
  ended?(loan: Loan): void;
}

/** Has a loan judged now, for a rule that learns of a loss outside of its hooks. */
export type Found = (loan: Loan) => void;

/** What the sentence of a report may mention. */
export interface ReportedLeak {
  /** The scope that took the loans; absent outside of any scope. */
  readonly scope?: string;
}

/** An entry of `RULES`: what a report says for the rule, its options `O`, and how to make it. */
export interface RuleDefinition<N extends string, O extends object = never> {
  /** One row per option; absent if the rule can only be switched on and off. */
  readonly options?: OptionTable<Required<O>>;
  /** Set if the rule needs V8's confirmation, which the level `counters` does without. */
  readonly asksV8?: true;
  /** What the simulated heap has shown of the loans that the rule finds. */
  readonly evidence?: string;
  /** Set if no loan is lost: a holder has made a mistake with a loan that had ended. */
  readonly isMisuse?: true;
  /** Set if {@link whatHappened} names the scope. */
  readonly namesScope?: true;
  /** What happened to the loans, as a clause. */
  whatHappened(leak: ReportedLeak): string;
  /** What to change in the code that took the loan, as a clause. */
  fix(loan: Loan): string;
  /** Makes the rule for one watchdog. `options` are complete; `graceMillis` is {@link WatchdogOptions.graceMillis}. */
  create(found: Found, options: Required<O>, graceMillis: number): Rule<N>;
}
