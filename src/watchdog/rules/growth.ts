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
 * | no more of them leave than before, or many more stay | a service that has more traffic |
 * | the number is at no earlier peak | a cache that is cleared and fills again, the load of the day |
 * | the component has no bound | a cache below its `max` |
 * | the counts reach further back than an entry lives, or very many entries will live | a `ttl` that has just begun |
 */
import { integer, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import { mannKendall } from '../mann-kendall.js';
import { type Count, MOST_WINDOWS, type Population } from '../populations.js';
import type { Readings } from '../readings.js';
import type { Rule, RuleDefinition, Survey } from './rule.js';

/** Options of the rule *growth*. */
export interface GrowthOptions {
  /**
   * How many full collections have to be looked at. The simulated heap is collected at least once a minute.
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

/** The least share by which the last count exceeds the first. */
const LEAST_RISE = 0.1;

/** The least ratio of the rise in the later half to that in the earlier half. */
const LEAST_PACE = 0.65;

/** How many of the last counts have to rise. */
const LAST_COUNTS = 4;

/** How far one of them may fall, as a part of the mean rise from one count to the next. */
const MOST_FALL = 0.25;

/** The least ratio of the rise of the last counts to that of all, per count. */
const LEAST_LAST_PACE = 0.3;

/** How much longer than an entry lives the counts have to reach back. */
const LIFETIMES = 2;

/** How long a cache is not judged that is going to have many entries before the first expires, in milliseconds. */
const FIRST_WAIT_MILLIS = 1_200_000;

/** From this number on, entries are many although they expire. */
const MANY_ENTRIES = 50_000;

/** The least part of the objects that has to leave, so that more traffic can be the cause. */
const LEAST_TURNOVER = 0.1;

/** The part of a rise that more traffic has to explain. */
const LEAST_EXPLAINED = 0.5;

/** The kinds whose number a component bounds by its figure `max`. */
const ENTRIES: ReadonlySet<string> = new Set(['entry', 'weak-entry', 'weak-target']);

class GrowthRule implements Rule<'growth'> {
  readonly name = 'growth';
  readonly #options: Required<GrowthOptions>;
  readonly #readings: Readings;

  constructor(options: Required<GrowthOptions>, readings: Readings) {
    this.#options = options;
    this.#readings = readings;
  }

  survey(survey: Survey): void {
    for (const population of survey.populations) {
      if (population.isIncomplete || (population.isWeak && !survey.isV8Known)) continue;
      survey.tell(this.#judge(population), population.loan);
    }
  }

  #judge(population: Population): Certainty | undefined {
    const { windows, minObjects, z } = this.#options;
    const counted = this.#readings.countsOf(population);
    const counts = counted.map(({ live }) => live);
    const least = population.isWeak ? Math.min(WEAK_WINDOWS, windows) : windows;
    const last = Math.min(counts.at(-1) ?? 0, population.live);
    if (counts.length < least || last < minObjects) return undefined;
    if (population.isBelowPeak || isBounded(population)) return undefined;
    if (isWarmingUp(population, counted)) return undefined;
    if (!keepsRising(counts) || isMoreTraffic(counted) || mannKendall(counts) < z) return undefined;
    return counts.length >= Math.min(2 * windows, MOST_WINDOWS) ? 'probable' : 'suspect';
  }
}

function isBounded({ kind, component }: Population): boolean {
  if (!ENTRIES.has(kind)) return false;
  const { max = Infinity, maxWeight = Infinity } = component.stats() ?? {};
  return max < Infinity || maxWeight < Infinity;
}

/** Whether births may exceed deaths because no entry is old enough to die, and there will not be many until then. */
function isWarmingUp({ component }: Population, counted: readonly Count[]): boolean {
  const { entryMillis } = component;
  if (entryMillis === Number.POSITIVE_INFINITY) return false;
  const { millis, rise } = changeOf(counted);
  if (millis >= LIFETIMES * entryMillis) return false;
  return millis < FIRST_WAIT_MILLIS || (rise / millis) * entryMillis < MANY_ENTRIES;
}

/**
 * Whether there are more because more come and go: by Little's law (J. D. C. Little, 1961), twice as many that leave in a minute are
 * twice as many at any time, if each stays as long as before. A leak has more although no more leave.
 */
function isMoreTraffic(counted: readonly Count[]): boolean {
  const middle = Math.floor(counted.length / 2);
  const earlier = changeOf(counted.slice(0, middle + 1));
  const later = changeOf(counted.slice(middle));
  if (later.deaths < LEAST_TURNOVER * (later.rise + later.deaths)) return false;
  const leaving = later.deaths / later.millis / (earlier.deaths / earlier.millis);
  const explained = earlier.mean * (leaving - 1);
  return explained >= LEAST_EXPLAINED * (later.mean - earlier.mean);
}

/** What has changed between the first and the last of some counts. */
function changeOf(counted: readonly Count[]) {
  const [first, last] = [counted[0], counted.at(-1)] as [Count, Count];
  const sum = counted.reduce((total, { live }) => total + live, 0);
  return {
    millis: last.at - first.at,
    rise: last.live - first.live,
    deaths: last.freed - first.freed,
    mean: sum / counted.length,
  };
}

/** Whether the counts still rise at the end, and about as fast as at the beginning. */
function keepsRising(counts: readonly number[]): boolean {
  const [first = 0, last = 0] = [counts[0], counts.at(-1)];
  const middle = counts[Math.floor(counts.length / 2)] ?? 0;
  const rise = last - first;
  if (rise < LEAST_RISE * Math.max(first, 1)) return false;
  if (last - middle < LEAST_PACE * (middle - first)) return false;
  const pace = rise / (counts.length - 1);
  const end = counts.slice(-LAST_COUNTS);
  const steps = end.slice(1).map((count, i) => count - (end[i] as number));
  if (steps.some((step) => step < -MOST_FALL * pace)) return false;
  return last - (end[0] ?? 0) >= LEAST_LAST_PACE * pace * steps.length;
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

/** The rule *growth*. */
export const growth: RuleDefinition<'growth', GrowthOptions> = {
  options: {
    windows: option(integer(4), 12),
    minObjects: option(integer(1), 100),
    z: option(numberAtLeast(0), 2.33),
  },
  evidence: 'live objects rise over full collections',
  isPopulation: true,
  whatHappened: ({ component, count, members = component.kind }) =>
    `more and more live: ${count} ${MEMBERS[members] ?? `${members}s of this name`}`,
  fix: ({ population, component }) =>
    FIXES[population?.kind ?? ''] ??
    `end each ${component.kind} by \`${component.endedBy ?? 'dropping it'}\`, or make one and share it`,
  create: (options, readings) => new GrowthRule(options, readings),
};
