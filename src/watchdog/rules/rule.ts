/**
 * A rule: what counts as a leak, and what a report says about it. Each rule is a file of this folder and an entry of
 * `RULES`, the one list of rules.
 *
 * The watchdog asks every active rule for verdicts: about a loan when its owner ends, and about all loans that are out in each sweep
 * and each check. A loan that ends within a tenth of a second and within its scope is never settled, and no rule sees it.
 */
import type { OptionTable } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Expectation } from '../expectations.js';
import type { Loan } from '../loan.js';
import type { Population } from '../populations.js';
import type { Readings } from '../readings.js';

/** A rule at work in one watchdog. It implements the hooks that it needs. */
export interface Rule<N extends string = string> {
  /** Its key in `RULES`. */
  readonly name: N;
  /**
   * Judges a settled loan that is out: when its owner ends, and in each sweep and each check. `now` is the watchdog's time in
   * milliseconds. Gives how sure the rule is that the loan is lost, if it is. A loan whose holder expects to keep it
   * (`expectHold`) is judged when that time is over.
   */
  judge?(loan: Loan, now: number): Certainty | undefined;
  /** Judges the objects that are no loans, in each sweep and each check. */
  judgeObjects?(context: RuleContext): void;
  /** Whether a misuse that a component has reported counts under this rule. */
  tellsMisuse?(misuse: MisuseRule): boolean;
}

/** The rules that tell of mistakes with loans that have ended. */
export type MisuseRule = 'double-release' | 'direct-release';

/** What a rule is given in a sweep or a check to judge objects that are no loans. */
export interface RuleContext {
  /** The watchdog's time, in milliseconds. */
  readonly now: number;
  /** The live objects by kind and site. */
  readonly populations: Iterable<Population>;
  /** The objects that are expected to die. */
  readonly expectations: Iterable<Expectation>;
  /** Whether V8 has run a full collection since the last sweep or check that knew of one, and has told of all deaths. */
  readonly isV8Known: boolean;
  /** Whether a check has forced that collection. */
  readonly isForced: boolean;
  /** Counts what stands for the object as lost, or no longer so. */
  tell(certainty: Certainty | undefined, loan: Loan): void;
}

/** What the sentence of a report may mention. */
export interface ReportedLeak {
  /** The scope that took the loans; absent outside of any scope. */
  readonly scope?: string;
  /** The owner that held the latest of them, if that was no scope. */
  readonly owner?: string;
  /** The component that lent the resources. */
  readonly component: { readonly kind: string; readonly name: string };
  /** How many loans or objects there are. */
  readonly count: number;
  /** Set if they were taken from the pool underneath the component. */
  readonly isDirect?: true;
  /** The kind of the objects, if they are no loans. */
  readonly members?: string;
  /** The names of the nodes of the cycle that the latest loan is in. */
  readonly cycle?: readonly string[];
}

/** What a report says of a misuse. */
export interface MisuseWords {
  /** What was done, as a participle: `ended twice`. */
  readonly done: string;
  /** What happened at the line of the report: `ended again`. */
  readonly label: string;
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
  readonly misuse?: MisuseWords;
  /** Set if the rule judges on what a forced close has taken back. It reads nothing of the component's present state then. */
  readonly judgesReclaimed?: true;
  /** Set if the leak is no loan: objects that become too many, or that should have died. */
  readonly isPopulation?: true;
  /** What happened at the line of a report that is of no loan. */
  readonly siteLabel?: string;
  /** Set if {@link whatHappened} names the scope. */
  readonly namesScope?: true;
  /** What happened to the loans, as a clause. */
  whatHappened(leak: ReportedLeak): string;
  /** What to change in the code that took the loan, as a clause. */
  fix(loan: Loan): string;
  /** Makes the rule for one watchdog. `options` are complete; `graceMillis` is {@link WatchdogOptions.graceMillis}. */
  create(options: Required<O>, readings: Readings, graceMillis: number): Rule<N>;
}
