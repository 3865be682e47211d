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
import { comesInBursts, withoutPauses } from '../bursts.js';
import type { Certainty } from '../certainty.js';
import { type Count, JOBS, MINUTES, SCALES, type Scale } from '../count-series.js';
import { followsTraffic, isBounded, isTooEarly, isWarmingUp } from '../harmless-rise.js';
import type { LoanSource } from '../loan.js';
import { mannKendall } from '../mann-kendall.js';
import type { Population } from '../populations.js';
import type { Readings } from '../readings.js';
import { changeOf, followsComponents, keepsRising, latest } from '../trend.js';
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

/** The most full collections that have to be looked at. */
const MAX_WINDOWS = 48;

/** Counts of weakly held objects are confirmed by V8, so fewer of them do. */
const WEAK_WINDOWS = 6;

/** The least share by which the last count exceeds the first. */
const MIN_RISE = 0.1;

/** The least share by which the last of these exceeds the first: they are few, and chance moves them. */
const MIN_LATEST_RISE = 0.3;

/** How many objects of a job come at once, at the least. */
const MIN_BURST = 20;

/** How many objects the latest counts have to expect, so that they can say that a rise by hours has ended. */
const MIN_EXPECTED = 10;

/** How many standard deviations they have to be of those that come and go, which are Poisson distributed. */
const MIN_DEVIATIONS = 3;

/** The part of them that has to come. */
const MIN_GOING_ON = 0.3;

/** How many of the last counts have to agree, so that a verdict changes. */
const STABLE_COUNTS = 4;

/** How often that number doubles, once with each retraction. */
const MAX_DOUBLINGS = 4;

/** How many times as many members as at the last retraction need no more patience. */
const FAR_MORE = 2;

/** What was said of a population. */
interface Verdict {
  /** Whether it counts as a leak. It may become ever greater at its old pace: its rise is an ever smaller share of it. */
  readonly isLeak: boolean;
  readonly retractions: number;
  /** How many members lived at the last retraction. */
  readonly retractedLive: number;
}

const NO_VERDICT: Verdict = { isLeak: false, retractions: 0, retractedLive: 0 };

class GrowthRule implements Rule<'growth'> {
  readonly name = 'growth';
  readonly #options: Required<GrowthOptions>;
  readonly #readings: Readings;
  readonly #verdicts = new WeakMap<Population, Verdict>();

  constructor(options: Required<GrowthOptions>, readings: Readings) {
    this.#options = options;
    this.#readings = readings;
  }

  judgeObjects(context: RuleContext): void {
    for (const population of context.populations) {
      if (population.isIncomplete || (population.isWeak && !context.isV8Known)) continue;
      const certainty = this.#judge(population);
      const isOwn = certainty !== undefined && !this.#followsComponents(population, context);
      this.#note(population, isOwn);
      context.tell(isOwn ? certainty : undefined, population.loan);
    }
  }

  #verdictOf(population: Population): Verdict {
    return this.#verdicts.get(population) ?? NO_VERDICT;
  }

  #note(population: Population, isLeak: boolean): void {
    const last = this.#verdictOf(population);
    if (last.isLeak === isLeak) return;
    if (isLeak) this.#verdicts.set(population, { ...last, isLeak });
    else {
      const retractions = last.retractions + 1;
      this.#verdicts.set(population, { isLeak, retractions, retractedLive: population.live });
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
      const { risesBy } = other;
      return (
        isLeak && followsComponents(countsOf(population, risesBy), other.withUncertain(risesBy))
      );
    }
    return false;
  }

  #judge(population: Population): Certainty | undefined {
    if (population.live < this.#options.minObjects || population.isBelowPeak) return undefined;
    if (isBounded(population)) return undefined;
    for (const scale of SCALES) {
      const certainty = this.#judgeBy(scale, population);
      if (certainty === undefined) continue;
      population.risesBy = scale;
      return certainty;
    }
    return undefined;
  }

  #judgeBy(scale: Scale, population: Population): Certainty | undefined {
    const { windows, minObjects, z } = this.#options;
    const counts = this.#readings.countsOf(population, scale);
    const least = population.isWeak ? Math.min(WEAK_WINDOWS, windows) : windows;
    if (counts.length < least || (counts.at(-1) as Count).live < minObjects) return undefined;
    const even = withoutPauses(counts);
    if (isWarmingUp(population, even)) return undefined;
    if (isTooEarly(scale, population, even, this.#options)) return undefined;
    if (!this.#isLasting(scale, population, counts)) return undefined;
    if (scale !== MINUTES && !this.#goesOn(population, counts)) return undefined;
    if (mannKendall(counts.map(({ live }) => live)) < z) return undefined;
    return counts.length >= Math.min(2 * windows, MAX_WINDOWS) ? 'probable' : 'suspect';
  }

  /**
   * Whether a rise by hours goes on at present, unless it comes in bursts or is slow. The finest scale says so that expects more than
   * chance makes of those that come and go. In bursts, they go after each burst, and the counts of minutes say nothing.
   */
  #goesOn(population: Population, counts: readonly Count[]): boolean {
    const pace = changeOf(counts);
    const comesByJob = comesInBursts(this.#readings.countsOf(population, JOBS), MIN_BURST);
    for (const scale of comesByJob ? [JOBS] : [MINUTES, JOBS]) {
      const recent = latest(this.#readings.countsOf(population, scale), scale.recentMillis);
      const { rise, millis, births, deaths } = changeOf(recent);
      const expected = (pace.rise / pace.millis) * millis;
      if (expected < MIN_EXPECTED) return true;
      if (expected < MIN_DEVIATIONS * Math.sqrt(births + deaths)) continue;
      return rise >= MIN_GOING_ON * expected || comesInBursts(counts, 1);
    }
    return true;
  }

  /**
   * Whether the verdict has been the same for some counts, so that one count more or less changes nothing. A leak that was retracted has
   * to last for longer, so that it is not told and retracted again and again, unless there are far more members than then.
   */
  #isLasting(scale: Scale, population: Population, counts: readonly Count[]): boolean {
    const { isLeak, retractions, retractedLive } = this.#verdictOf(population);
    const isPatient = !isLeak && scale === MINUTES && population.live < FAR_MORE * retractedLive;
    const patience = isPatient ? 2 ** Math.min(retractions, MAX_DOUBLINGS) : 1;
    for (let left = 0; left < STABLE_COUNTS * patience; left++) {
      const earlier = counts.slice(0, counts.length - left);
      if (this.#rises(scale, population, earlier) === isLeak) return isLeak;
    }
    return !isLeak;
  }

  #rises(scale: Scale, population: Population, counts: readonly Count[]): boolean {
    if (counts.length < 2) return false;
    if (scale.isForBursts && !comesInBursts(counts, MIN_BURST)) return false;
    const even = withoutPauses(counts);
    const recent = latest(even, scale.recentMillis);
    const leastRise = this.#verdictOf(population).isLeak ? 0 : MIN_RISE;
    if (!keepsRising(even, leastRise) && !keepsRising(recent, MIN_LATEST_RISE)) return false;
    return !followsTraffic(population, even, recent);
  }
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
