/**
 * The one list of rules. To add a rule, write its file in this folder, and add it to {@link WatchdogRules} and to
 * {@link RULES}; the compiler compares the two. Reports, option checks and {@link LeakRule} follow from them.
 */
import {
  aBoolean,
  checkOptions,
  type OptionCheck,
  type OptionChecks,
  resolveOptions,
} from '../../core/options.js';
import { abandoned } from './abandoned.js';
import { doubleRelease } from './double-release.js';
import { type ExhaustedOptions, exhausted } from './exhausted.js';
import { orphaned } from './orphaned.js';
import type { Found, Rule, RuleDefinition } from './rule.js';
import { type TenuredOptions, tenured } from './tenured.js';

/** Which rules judge, and the options of a rule. `false` switches a rule off. */
export interface WatchdogRules {
  /**
   * Finds a loan that is still out when its scope ends.
   *
   * @default true
   */
  readonly orphaned?: boolean;
  /**
   * Finds a loan whose lease V8 has collected, and confirms orphaned ones. Off at the level `counters`.
   *
   * @default true
   */
  readonly abandoned?: boolean;
  /**
   * Suspects a loan that stays out while the loans around it come and go.
   *
   * @default true
   */
  readonly tenured?: boolean | TenuredOptions;
  /**
   * Finds the loans of a component that has run dry, once nothing has come back for long.
   *
   * @default true
   */
  readonly exhausted?: boolean | ExhaustedOptions;
  /**
   * Finds a loan that is ended twice, also if the caller swallows the error.
   *
   * @default true
   */
  readonly 'double-release'?: boolean;
}

/** The name of a rule: a key of {@link WatchdogRules}. */
export type LeakRule = keyof WatchdogRules;

/** The options of a rule; `never` if it can only be switched on and off. */
type OptionsOf<N extends LeakRule> = Exclude<WatchdogRules[N], boolean | undefined>;

/** The rules by name. A loan that several rules find counts under the one that comes first here. */
export const RULES: { readonly [N in LeakRule]-?: RuleDefinition<N, OptionsOf<N>> } = {
  orphaned,
  abandoned,
  tenured,
  exhausted,
  'double-release': doubleRelease,
};

const ORDER = Object.keys(RULES) as LeakRule[];

/** Whether `first` comes before `second` in {@link RULES}. */
export function precedes(first: LeakRule, second: LeakRule): boolean {
  return ORDER.indexOf(first) < ORDER.indexOf(second);
}

const CHECKS = Object.fromEntries(
  ORDER.map((name) => [name, checkOf(name)]),
) as OptionChecks<WatchdogRules>;

/** An object of rules and their options. */
export const someRules: OptionCheck = (value) => {
  checkOptions<WatchdogRules>('new Watchdog: rules', value, CHECKS);
  return undefined;
};

/**
 * Makes the rules that are switched on, in the order of {@link RULES}. Rules that need V8 are left out unless `asksV8`.
 * `found` is called when a rule learns outside of its hooks that a loan is lost.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for malformed options of a rule.
 */
export function createRules(
  chosen: WatchdogRules,
  asksV8: boolean,
  found: Found,
  graceMillis = 0,
): Rule<LeakRule>[] {
  return ORDER.filter(
    (name) => chosen[name] !== false && (asksV8 || definitionOf(name).asksV8 !== true),
  ).map((name) =>
    definitionOf(name).create(found, optionsOf(name, chosen[name] ?? true), graceMillis),
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
