/** The options of a watchdog and of a check, and what a watchdog emits. */
import { type Clock, systemClock } from '../core/clock.js';
import type { GcSource } from '../core/gc-source.js';
import { guardedClock } from '../core/guarded-clock.js';
import {
  aBoolean,
  aFunction,
  countOrInfinity,
  integer,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';
import { isSignature } from './baseline.js';
import type { LeakReport } from './leak-report.js';
import { LEVELS, type WatchLevel } from './level.js';
import { anOpenScope, type OpenScope } from './open-scope.js';
import { someRules, type WatchdogRules } from './rules/rules.js';
import { RunningClock } from './running-clock.js';

/** Options of a {@link Watchdog}. */
export interface WatchdogOptions {
  /**
   * How much it records of each loan, and at what cost.
   *
   * @default 'simple'
   */
  readonly level?: WatchLevel;
  /**
   * At the level `sampled`, one loan of a component in this many is tracked, besides the first 100 in each second. The others are counted.
   *
   * @default 128
   */
  readonly sampleEvery?: number;
  /**
   * The most stacks of loans that a component has taken in one second; the level's own limit holds, too. The loans beyond it have no
   * line, unless their pool has taken their stacks (`callSites`). After a leak without a line the stacks of the next 1,000 loans are taken
   * in any case.
   *
   * @default Infinity
   */
  readonly stacksPerSecond?: number;
  /**
   * How many loans of a component have their stacks taken at its start, whatever {@link stacksPerSecond} says. `simple` takes 4, and
   * `counters` none.
   *
   * @default 0
   */
  readonly firstStacks?: number;
  /**
   * Which rules judge, and the options of a rule. `false` switches a rule off.
   *
   * @default every rule
   */
  readonly rules?: WatchdogRules;
  /** A first listener of `'leak'`. */
  readonly onLeak?: LeakListener;
  /**
   * How long a lost loan has to stay out before `'leak'` is emitted, in milliseconds, so that a release just after the end of
   * a scope is not reported. A certain leak is emitted at once, and {@link Watchdog.check} does not wait.
   *
   * @default 1_000
   */
  readonly graceMillis?: number;
  /**
   * How many different leaks it reports: those that were found or have grown last. `stats().unreported` counts the loans of the
   * others.
   *
   * @default 1_000
   */
  readonly maxRecords?: number;
  /**
   * Signatures of known leaks, as `sig` of a report and `parseBaseline` give them. Such a leak is neither emitted nor reported;
   * `stats().suppressed` counts its loans.
   *
   * @default none
   */
  readonly suppress?: readonly string[];
  /**
   * After how many births of nodes and requests for loans the simulated heap collects its young generation. The rule
   * *tenured* counts age in such collections: a loan is old after two to eleven.
   *
   * @default 700
   */
  readonly youngCollectionEvery?: number;
  /**
   * After how long without a full collection of the simulated heap one begins, in milliseconds. A busy service has them more often. The
   * rule *growth* compares what they leave.
   *
   * @default 60_000
   */
  readonly fullCollectionMillis?: number;
  /**
   * How often the rules judge the loans that are out, in milliseconds. No timer is set if no active rule does, as *tenured*
   * does, nor while no component is watched, no scope is running and no object is expected to die. The timer never keeps the process
   * alive.
   *
   * @default 10_000
   */
  readonly sweepIntervalMillis?: number;
  /**
   * The source of time and timers. On a clock of your own a sweep and a full collection of the simulated heap end in the turn in which
   * they begin, so that what a test finds does not depend on the speed of the machine. On the platform's they run in slices of 1 ms.
   *
   * @default the platform's
   */
  readonly clock?: Clock;
  /**
   * Runs the real collector for `check({ forceGc: true })`.
   *
   * @default V8's on Node, none elsewhere
   */
  readonly gcSource?: GcSource;
}

/** Options of {@link Watchdog.check}. */
export interface CheckOptions {
  /**
   * How long to wait for loans that count as lost to come back after all, in milliseconds.
   *
   * @default 0
   */
  readonly graceMillis?: number;
  /**
   * Whether to run V8's collector first, so that abandoned loans are found now. It stops the process for milliseconds to
   * seconds, depending on the heap. Use it in tests and on a person's request, not from a timer.
   *
   * @default false
   */
  readonly forceGc?: boolean;
  /**
   * Reports only loans that were taken within this scope, or within a scope that was opened in it, and that outlived it. A
   * test, for example, asks for its own leaks while others run.
   *
   * @default every loan
   */
  readonly scope?: OpenScope;
}

/** The events of a {@link Watchdog}: `'leak'` and `'retracted'`, see {@link Watchdog.on}. */
export type WatchdogEvent = 'leak' | 'retracted';

/** Called with the report of a leak. An error that it throws is printed and ignored. */
export type LeakListener = (report: LeakReport) => void;

/** What the options of a watchdog resolve to. */
export interface WatchdogSettings {
  readonly level: WatchLevel;
  readonly sampleEvery: number;
  readonly stacksPerSecond: number;
  readonly firstStacks: number;
  readonly rules: WatchdogRules;
  readonly onLeak: LeakListener | undefined;
  readonly graceMillis: number;
  readonly maxRecords: number;
  readonly suppress: readonly string[];
  readonly youngCollectionEvery: number;
  readonly fullCollectionMillis: number;
  readonly sweepIntervalMillis: number;
  readonly clock: RunningClock;
  readonly gcSource: GcSource | undefined;
}

/** The options of a watchdog with their defaults, and the clock as the user gave it. */
type CheckedOptions = Omit<WatchdogSettings, 'clock'> & { readonly clock: Clock };

const someSignatures: OptionCheck = (value) =>
  Array.isArray(value) && value.every(isSignature)
    ? undefined
    : 'a list of signatures, each of 8 hexadecimal digits';

const WATCHDOG_OPTIONS: OptionTable<CheckedOptions> = {
  level: option(oneOf('off', ...Object.keys(LEVELS)), 'simple'),
  sampleEvery: option(integer(1), 128),
  stacksPerSecond: option(countOrInfinity(0), Number.POSITIVE_INFINITY),
  firstStacks: option(countOrInfinity(0), 0),
  rules: option(someRules, {}),
  onLeak: optional(aFunction),
  graceMillis: option(millis, 1_000),
  maxRecords: option(integer(1), 1_000),
  suppress: option(someSignatures, []),
  youngCollectionEvery: option(integer(1), 700),
  fullCollectionMillis: option(numberAtLeast(1), 60_000),
  sweepIntervalMillis: option(numberAtLeast(1), 10_000),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
  gcSource: optional(objectWith('collect')),
};

/** What the options of a check resolve to. */
export interface CheckSettings {
  readonly graceMillis: number;
  readonly forceGc: boolean;
  readonly scope: OpenScope | undefined;
}

const CHECK_OPTIONS: OptionTable<CheckSettings> = {
  graceMillis: option(millis, 0),
  forceGc: option(aBoolean, false),
  scope: optional(anOpenScope),
};

/**
 * Gives the options of a watchdog with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveWatchdogOptions(options: WatchdogOptions): WatchdogSettings {
  const settings = resolveOptions('new Watchdog', options, WATCHDOG_OPTIONS);
  const { clock } = settings;
  return { ...settings, clock: new RunningClock(guardedClock(clock), clock === systemClock) };
}

/**
 * Gives the options of one check with their defaults. A caller may have defaults of its own.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveCheckOptions(
  options: CheckOptions,
  { graceMillis = 0, forceGc = false }: Pick<CheckOptions, 'graceMillis' | 'forceGc'> = {},
): CheckSettings {
  return resolveOptions('watchdog.check', options, {
    ...CHECK_OPTIONS,
    graceMillis: option(millis, graceMillis),
    forceGc: option(aBoolean, forceGc),
  });
}
