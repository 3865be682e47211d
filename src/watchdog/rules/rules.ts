/**
 * The one list of rules. A new rule is a file of this folder, a property of {@link WatchdogRules} and an entry of
 * {@link RULES}; the compiler holds the two together. Reports, options and the union of rule names follow from them.
 */
import {
  aBoolean,
  checkOptions,
  type OptionCheck,
  type OptionChecks,
  resolveOptions,
} from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { Loan } from '../loan.js';
import { abandoned } from './abandoned.js';
import { orphaned } from './orphaned.js';
import type { Rule, RuleDefinition } from './rule.js';
import { type TenuredOptions, tenured } from './tenured.js';

/** Which rules judge. `false` switches a rule off. */
export interface WatchdogRules {
  /**
   * Finds a loan whose scope has ended before it.
   *
   * @default true
   */
  readonly orphaned?: boolean;
  /**
   * Asks V8 to confirm, and finds a loan whose lease V8 has collected. Off at the level `counters`.
   *
   * @default true
   */
  readonly abandoned?: boolean;
  /**
   * Suspects a loan that stays out while the loans around it come and go; takes its thresholds here.
   *
   * @default true
   */
  readonly tenured?: boolean | TenuredOptions;
}

/**
 * Which rule found the leak.
 *
 * - `orphaned`: the scope that took the loan has ended, and the loan is still out.
 * - `abandoned`: V8 collected the only object through which the loan could be ended.
 * - `tenured`: the loan has outlived the traffic around it by far.
 */
export type LeakRule = keyof WatchdogRules;

/** The options that a rule takes beside `true` and `false`. */
type OptionsOf<N extends LeakRule> = Exclude<WatchdogRules[N], boolean | undefined>;

/** The rules by name. A loan that several rules find is counted under the first of them in this order. */
export const RULES: { readonly [N in LeakRule]-?: RuleDefinition<N, OptionsOf<N>> } = {
  orphaned,
  abandoned,
  tenured,
};

const ORDER = Object.keys(RULES) as LeakRule[];

/** Whether a loan that both rules find is counted under `first`. */
export function precedes(first: LeakRule, second: LeakRule): boolean {
  return ORDER.indexOf(first) < ORDER.indexOf(second);
}

const CHECKS = Object.fromEntries(
  ORDER.map((name) => [name, checkOf(name)]),
) as OptionChecks<WatchdogRules>;

/** A choice of rules and their options. */
export const someRules: OptionCheck = (value) => {
  checkOptions<WatchdogRules>('new Watchdog: rules', value, CHECKS);
  return undefined;
};

/** The rules that are switched on; those that need V8 only if `asksV8`. `found` is called when a rule finds a loan by itself. */
export function createRules(
  chosen: WatchdogRules,
  asksV8: boolean,
  found: (rule: LeakRule, certainty: Certainty, loan: Loan) => void,
): Rule<LeakRule>[] {
  return ORDER.filter(
    (name) => chosen[name] !== false && (asksV8 || definitionOf(name).asksV8 !== true),
  ).map((name) =>
    definitionOf(name).create(
      (loan, certainty) => found(name, certainty, loan),
      optionsOf(name, chosen[name] ?? true),
    ),
  );
}

function definitionOf(name: LeakRule): RuleDefinition<LeakRule, object> {
  return RULES[name];
}

function checkOf(name: LeakRule): OptionCheck {
  if (definitionOf(name).options === undefined) return aBoolean;
  return (value) => {
    if (typeof value !== 'boolean') optionsOf(name, value);
    return undefined;
  };
}

function optionsOf(name: LeakRule, chosen: unknown): object {
  const { options = {} } = definitionOf(name);
  return resolveOptions(`new Watchdog: rules.${name}`, chosen === true ? {} : chosen, options);
}
