/** What a watchdog is told: at construction, at a check, and by whom it is listened to. */
import { type Clock, systemClock } from '../core/clock.js';
import {
  aBoolean,
  aFunction,
  integer,
  millis,
  numberAtLeast,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';
import type { GcSource } from './gc-source.js';
import type { LeakReport } from './leak-report.js';
import { LEVELS, type WatchLevel } from './level.js';
import { someRules, type WatchdogRules } from './rules/rules.js';

/** What a {@link Watchdog} can be told at construction. */
export interface WatchdogOptions {
  /**
   * How much it looks at, and what that costs.
   *
   * @defaultValue 'simple'
   */
  readonly level?: WatchLevel;
  /**
   * Which rules judge. `false` switches a rule off; *tenured* takes its thresholds here.
   *
   * @defaultValue all three
   */
  readonly rules?: WatchdogRules;
  /** Called for each leak, as a listener of `'leak'` is. */
  readonly onLeak?: LeakListener;
  /**
   * How many different leaks are kept; later ones are not recorded.
   *
   * @defaultValue 1000
   */
  readonly maxRecords?: number;
  /**
   * After how many births and requests the young generation of the simulated heap is collected: the unit in which
   * *tenured* counts age. A loan is old after two to eleven of them.
   *
   * @defaultValue 700
   */
  readonly nursery?: number;
  /**
   * How often, in milliseconds, *tenured* looks at the loans that are out. The timer never keeps the process alive.
   *
   * @defaultValue 10_000
   */
  readonly sweepIntervalMillis?: number;
  /**
   * The time and the timers.
   *
   * @defaultValue the platform's
   */
  readonly clock?: Clock;
  /**
   * The real collector, for `check({ forceGc: true })`.
   *
   * @defaultValue V8's on Node; none elsewhere
   */
  readonly gcSource?: GcSource;
}

/** How a {@link Watchdog.check} goes about it. */
export interface CheckOptions {
  /**
   * How long to wait, in milliseconds, for loans that are counted as lost to come back after all.
   *
   * @defaultValue 0
   */
  readonly settleMillis?: number;
  /**
   * Whether to run V8's collector first, so that abandoned loans are found now. It stops the process for some
   * milliseconds to seconds, depending on the heap: for tests and for a person asking, not for a timer.
   *
   * @defaultValue false
   */
  readonly forceGc?: boolean;
}

/** What a {@link Watchdog} tells its listeners. */
export type WatchdogEvent = 'leak' | 'retracted';

/** Is given a leak's report. What it throws is printed and ignored. */
export type LeakListener = (report: LeakReport) => void;

/** What the options of a watchdog resolve to. */
export interface WatchdogSettings {
  readonly level: WatchLevel;
  readonly rules: WatchdogRules;
  readonly onLeak: LeakListener | undefined;
  readonly maxRecords: number;
  readonly nursery: number;
  readonly sweepIntervalMillis: number;
  readonly clock: Clock;
  readonly gcSource: GcSource | undefined;
}

const WATCHDOG_OPTIONS: OptionTable<WatchdogSettings> = {
  level: option(oneOf('off', ...Object.keys(LEVELS)), 'simple'),
  rules: option(someRules, {}),
  onLeak: optional(aFunction),
  maxRecords: option(integer(1), 1_000),
  nursery: option(integer(1), 700),
  sweepIntervalMillis: option(numberAtLeast(1), 10_000),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
  gcSource: optional(objectWith('collect')),
};

const CHECK_OPTIONS: OptionTable<Required<CheckOptions>> = {
  settleMillis: option(millis, 0),
  forceGc: option(aBoolean, false),
};

/**
 * The options of a watchdog with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveWatchdogOptions(options: WatchdogOptions): WatchdogSettings {
  return resolveOptions('new Watchdog', options, WATCHDOG_OPTIONS);
}

/**
 * The options of one check with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveCheckOptions(options: CheckOptions): Required<CheckOptions> {
  return resolveOptions('watchdog.check', options, CHECK_OPTIONS);
}
