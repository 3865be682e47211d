/**
 * Rule *growth*: the live objects of one kind and site become more and more. No single one is lost: the entries of a cache without
 * a bound, a pool for each request that is never closed, scopes that never end, listeners, values that should have died.
 *
 * The heap counts them at each full collection. A trend is a leak if all of these hold:
 *
 * | condition | without it, an alarm for |
 * |---|---|
 * | the Mann-Kendall test sees a rise | a sawtooth |
 * | the last counts rise, and as fast as before | a cache that fills up, and a service that warms up |
 * | there are many objects, and many more than at first | noise |
 * | no more of them come and go than before, or many more stay | a service that has more traffic |
 * | the number is at no earlier peak | a cache that is cleared and fills again, the load of the day |
 * | the rise lasts; a slow one three times as long | a batch, tenants that come on line, values that live for half an hour |
 * | its components are no leak with as many members in each | the entries of a cache for each request, beside the caches |
 * | a component of these objects has no bound | caches below their `max` |
 * | the counts reach further back than an entry lives, or very many entries will live | a `ttl` that has just begun |
 */
import { integer, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { LoanSource } from '../loan.js';
import { mannKendall } from '../mann-kendall.js';
import { type Count, MAX_WINDOWS, type Population, WINDOW_MILLIS } from '../populations.js';
import type { Readings } from '../readings.js';
import {
  changeOf,
  followsComponents,
  isMoreTraffic,
  keepsRising,
  latest,
  riseOf,
  withoutPauses,
} from '../trend.js';
import type { Rule, RuleContext, RuleDefinition } from './rule.js';

/** Options of the rule *growth*. */
export interface GrowthOptions {
  /**
   * How many full collections have to be looked at, from 4 to 48. The simulated heap is collected at least once a minute.
   *
   * @default 12
   */
  readonly windows?: number;
  /**
   * The least number of live objects.
   *
   * @default 100
   */
  readonly minObjects?: number;
  /**
   * The least z of the Mann-Kendall test. By chance, a value of 2.33 is exceeded in one case of a hundred.
   *
   * @default 2.33
   */
  readonly z?: number;
}

/** Counts of weakly held objects are confirmed by V8, so fewer of them do. */
const WEAK_WINDOWS = 6;

/** How much longer than an entry lives the counts have to reach back. */
const LIFETIMES = 2;

/** How long a cache is not judged that is going to have many entries before the first expires, in milliseconds. */
const FIRST_WAIT_MILLIS = 1_200_000;

/** From this number on, entries are many although they expire. */
const MANY_ENTRIES = 50_000;

/** How far the latest counts reach back, in milliseconds: they have forgotten how the service began, and the traffic of before. */
const LATEST_MILLIS = 1_440_000;

/** The least share by which the last count exceeds the first. */
const MIN_RISE = 0.1;

/** The least share by which the last of these exceeds the first: they are few, and chance moves them. */
const MIN_LATEST_RISE = 0.3;

/** How long a slow rise is waited for, in milliseconds. */
const PATIENCE_MILLIS = 2_160_000;

/** A rise by fewer objects in that time is slow. */
const FEW = 240;

/** A rise by fewer weakly held objects is slow: many of them may live long. */
const FEW_WEAK = 1_200;

/** How many objects a slow rise has to reach, as a multiple of those that a fast one has to. */
const SLOW_LEAST = 1.2;

/** The kinds whose number a component bounds by its figure `max`. */
const ENTRIES: ReadonlySet<string> = new Set(['entry', 'weak-entry', 'weak-target']);

class GrowthRule implements Rule<'growth'> {
  readonly name = 'growth';
  readonly #options: Required<GrowthOptions>;
  readonly #readings: Readings;
  /** Those that count as a leak. Such a one may become ever greater at its old pace: its rise is an ever smaller share of it. */
  readonly #leaks = new WeakSet<Population>();

  constructor(options: Required<GrowthOptions>, readings: Readings) {
    this.#options = options;
    this.#readings = readings;
  }

  judgeObjects(context: RuleContext): void {
    for (const population of context.populations) {
      if (population.isIncomplete || (population.isWeak && !context.isV8Known)) continue;
      const certainty = this.#judge(population);
      const isOwn = certainty !== undefined && !this.#followsComponents(population, context);
      if (isOwn) this.#leaks.add(population);
      else this.#leaks.delete(population);
      context.tell(isOwn ? certainty : undefined, population.loan);
    }
  }

  /**
   * Whether there are more members because their components are a leak: there are more and more of them, with as many members in each.
   * O(populations).
   */
  #followsComponents(population: Population, { populations }: RuleContext): boolean {
    const { component, kind, site } = population;
    const { countsOf } = this.#readings;
    if (kind === component.kind) return false;
    for (const other of populations) {
      if (other.kind !== component.kind || other.site !== site) continue;
      const isLeak = this.#judge(other) !== undefined;
      return isLeak && followsComponents(countsOf(population), other.withUncertain);
    }
    return false;
  }

  #judge(population: Population): Certainty | undefined {
    const { windows, minObjects, z } = this.#options;
    const counts = this.#readings.countsOf(population).map(({ live }) => live);
    const least = population.isWeak ? Math.min(WEAK_WINDOWS, windows) : windows;
    const last = Math.min(counts.at(-1) ?? 0, population.live);
    if (counts.length < least || last < minObjects) return undefined;
    if (population.isBelowPeak) return undefined;
    const counted = withoutPauses(this.#readings.countsOf(population));
    const recent = latest(counted, LATEST_MILLIS);
    const leastRise = this.#leaks.has(population) ? 0 : MIN_RISE;
    if (!keepsRising(counted, leastRise) && !keepsRising(recent, MIN_LATEST_RISE)) return undefined;
    if (isBounded(population) || isWarmingUp(population, counted)) return undefined;
    if (isTooEarly(population, counted, this.#options)) return undefined;
    if (followsTraffic(population, counted) || mannKendall(counts) < z) return undefined;
    return counts.length >= Math.min(2 * windows, MAX_WINDOWS) ? 'probable' : 'suspect';
  }
}

function isBounded({ kind, owners }: Population): boolean {
  if (!ENTRIES.has(kind) || owners.size === 0) return false;
  for (const { isBounded } of owners) if (!isBounded) return false;
  return true;
}

/** Whether births may exceed deaths because no entry is old enough to die, and there will not be many until then. */
function isWarmingUp({ kind, owners }: Population, counted: readonly Count[]): boolean {
  if (!ENTRIES.has(kind)) return false;
  let longestMillis = 0;
  for (const { entryMillis } of owners) longestMillis = Math.max(longestMillis, entryMillis);
  if (longestMillis === Number.POSITIVE_INFINITY) return false;
  const { millis, rise } = changeOf(counted);
  if (millis >= LIFETIMES * longestMillis) return false;
  return millis < FIRST_WAIT_MILLIS || (rise / millis) * longestMillis < MANY_ENTRIES;
}

/**
 * Whether more traffic is the cause, over all counts and over the latest ones: a leak goes on when the traffic rises no more. What lives
 * for long follows the traffic slowly, so of such objects all counts decide.
 */
function followsTraffic({ ageMillis }: Population, counted: readonly Count[]): boolean {
  return isMoreTraffic(counted) && (ageMillis > 0 || isMoreTraffic(latest(counted, LATEST_MILLIS)));
}

/**
 * Whether the rise is too short to tell a leak from a batch, from objects that live long, or from a service that is being set up. Few
 * objects do no harm soon, so they have more time to come to rest.
 */
function isTooEarly(
  { kind, live, isWeak, ageMillis }: Population,
  counted: readonly Count[],
  { windows, minObjects }: Required<GrowthOptions>,
): boolean {
  const { millis, perMilli } = riseOf(counted);
  const lasted = millis + ageMillis;
  if (lasted < (windows - 1) * WINDOW_MILLIS) return true;
  const few = isWeak && ENTRIES.has(kind) ? FEW_WEAK : FEW;
  if (perMilli * PATIENCE_MILLIS >= few) return false;
  return lasted < PATIENCE_MILLIS || live < SLOW_LEAST * minObjects;
}

/** What is growing, in the plural. */
const MEMBERS: Readonly<Record<string, string>> = {
  entry: 'entries',
  'weak-entry': 'entries whose keys are held elsewhere',
  'weak-target': 'weakly held values that other code keeps alive',
  scope: 'scopes that have not ended',
  listener: 'listeners',
};

const FIXES: Readonly<Record<string, string>> = {
  entry: 'give the cache a `max`, or a key with fewer values',
  'weak-entry': 'let go of the objects in its keys, or give the cache a `max`',
  'weak-target': 'let go of the values: a Map or an array elsewhere keeps them',
  scope: 'give the work of the scope a timeout or an AbortSignal',
  listener: 'remove each listener, or add it once',
};

function endOf({ kind, endedBy }: LoanSource): string {
  return endedBy === undefined
    ? `let go of each ${kind}: a Map, an array or a closure keeps it`
    : `end each ${kind} by \`${endedBy}\``;
}

/** The rule *growth*. */
export const growth: RuleDefinition<'growth', GrowthOptions> = {
  options: {
    windows: option(integer(4, MAX_WINDOWS), 12),
    minObjects: option(integer(1), 100),
    z: option(numberAtLeast(0), 2.33),
  },
  evidence: 'live objects rise over full collections',
  isPopulation: true,
  siteLabel: 'latest at',
  whatHappened: ({ component, count, members = component.kind }) =>
    `more and more live: ${count} ${MEMBERS[members] ?? `${members}s of this name`}`,
  fix: ({ population, component }) =>
    FIXES[population?.kind ?? ''] ?? `${endOf(component)}, or make one and share it`,
  create: (options, readings) => new GrowthRule(options, readings),
};
