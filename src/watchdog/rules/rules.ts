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
import { READINGS, type Readings } from '../readings.js';
import { abandoned } from './abandoned.js';
import { cycle } from './cycle.js';
import { directRelease } from './direct-release.js';
import { doubleRelease } from './double-release.js';
import { type ExhaustedOptions, exhausted } from './exhausted.js';
import { type GrowthOptions, growth } from './growth.js';
import { orphaned } from './orphaned.js';
import { type RetainedOptions, retained } from './retained.js';
import type { Rule, RuleDefinition } from './rule.js';
import { type TenuredOptions, tenured } from './tenured.js';

/** Which rules judge, and the options of a rule. `false` switches a rule off. */
export interface WatchdogRules {
  /**
   * Finds a loan that is still out when its owner ends: a scope, an entry, a value, a resource or a stack.
   *
   * @default true
   */
  readonly orphaned?: boolean;
  /**
   * Finds a loan whose owners hold each other, and that nothing else holds.
   *
   * @default true
   */
  readonly cycle?: boolean;
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
   * Finds the loans of a component that is exhausted, once nothing has come back for long.
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
  /**
   * Finds a loan of an adopted pool whose resource was given back to the pool underneath, and not by its lease.
   *
   * @default true
   */
  readonly 'direct-release'?: boolean;
  /**
   * Finds live objects of one kind and site that become more and more: entries, components, scopes, listeners, weak values.
   *
   * @default true
   */
  readonly growth?: boolean | GrowthOptions;
  /**
   * Finds an object that {@link Watchdog.expectCollected} was called with, and that is alive. Off at the level `counters`.
   *
   * @default true
   */
  readonly retained?: boolean | RetainedOptions;
}

/** The name of a rule: a key of {@link WatchdogRules}. */
export type LeakRule = keyof WatchdogRules;

/** The options of a rule; `never` if it can only be switched on and off. */
type OptionsOf<N extends LeakRule> = Exclude<WatchdogRules[N], boolean | undefined>;

/** The rules by name. A loan that several rules find counts under the one that comes first here. */
export const RULES: { readonly [N in LeakRule]-?: RuleDefinition<N, OptionsOf<N>> } = {
  cycle,
  orphaned,
  abandoned,
  tenured,
  exhausted,
  'double-release': doubleRelease,
  'direct-release': directRelease,
  growth,
  retained,
};

const ORDER = Object.keys(RULES) as LeakRule[];

/** The rules that find lost loans, in the order of {@link RULES}. */
export const LOAN_RULES: readonly LeakRule[] = ORDER.filter(
  (name) => RULES[name].misuse === undefined && RULES[name].isPopulation !== true,
);

/** What a report says for a rule. */
type RuleWords = Pick<
  RuleDefinition<string>,
  'evidence' | 'isPopulation' | 'misuse' | 'namesScope' | 'siteLabel' | 'whatHappened'
>;

/** Gives what a report says for its rule. A report from a file may have a rule of a later version. */
export function wordsOf({ rule, members }: { rule: string; members?: string }): RuleWords {
  return Object.hasOwn(RULES, rule)
    ? RULES[rule as LeakRule]
    : {
        ...(members !== undefined && { isPopulation: true }),
        whatHappened: () => 'found by a rule that this version of tenure does not know',
      };
}

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
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for malformed options of a rule.
 */
export function createRules(
  chosen: WatchdogRules,
  asksV8: boolean,
  readings: Readings = READINGS,
  graceMillis = 0,
): Rule<LeakRule>[] {
  return ORDER.filter(
    (name) => chosen[name] !== false && (asksV8 || definitionOf(name).asksV8 !== true),
  ).map((name) =>
    definitionOf(name).create(optionsOf(name, chosen[name] ?? true), readings, graceMillis),
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
