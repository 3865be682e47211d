/**
 * What the counts of a population say of its trend: whether it keeps rising, for how long it has risen, and whether more traffic
 * explains it.
 */
import type { Count } from './count-series.js';

/** The least ratio of the pace in the later half to that in the earlier half. */
const MIN_PACE = 0.7;

/** How many of the last counts have to rise. */
const LAST_COUNTS = 4;

/** How far one of them may fall, as a part of the mean rise from one count to the next. */
const MAX_FALL = 0.25;

/** The least ratio of the pace of the last counts to that of all. */
const MIN_LAST_PACE = 0.3;

/** The least part of the objects that has to leave, so that more traffic can be the cause. */
const MIN_TURNOVER = 0.1;

/** The part that has to leave, so that the cause can be that more come. */
const HIGH_TURNOVER = 0.4;

/** The part of a rise that more traffic has to explain. */
const MIN_EXPLAINED = 0.5;

/** The part of a rise by which its duration is measured: its first steps may be noise. */
const RISING_PART = 0.9;

/** What has changed between the first and the last of some counts. */
export function changeOf(counted: readonly Count[]) {
  const [first, last] = [counted[0], counted.at(-1)] as [Count, Count];
  const sum = counted.reduce((total, { live }) => total + live, 0);
  const rise = last.live - first.live;
  const deaths = last.freed - first.freed;
  return {
    millis: last.at - first.at,
    rise,
    births: rise + deaths,
    deaths,
    mean: sum / counted.length,
  };
}

/**
 * Whether the counts rise by `leastRise` of the first at least, and about as fast at the end as at the beginning. V8 collects when it
 * likes, so the pace is that by time.
 */
export function keepsRising(counted: readonly Count[], leastRise: number): boolean {
  const middle = Math.floor(counted.length / 2);
  const whole = changeOf(counted);
  const earlier = changeOf(counted.slice(0, middle + 1));
  const later = changeOf(counted.slice(middle));
  const end = counted.slice(-LAST_COUNTS);
  const last = changeOf(end);
  if (whole.rise < leastRise * Math.max((counted[0] as Count).live, 1)) return false;
  if (later.rise * earlier.millis < MIN_PACE * earlier.rise * later.millis) return false;
  const mostFall = (MAX_FALL * whole.rise) / (counted.length - 1);
  if (end.some(({ live }, i) => live < (end[i - 1]?.live ?? 0) - mostFall)) return false;
  return last.rise * whole.millis >= MIN_LAST_PACE * whole.rise * last.millis;
}

/** The counts of the last `millis` milliseconds. */
export function latest(counted: readonly Count[], millis: number): readonly Count[] {
  const since = (counted.at(-1) as Count).at - millis;
  return counted.filter(({ at }) => at >= since);
}

/** For how long the counts have risen, and how fast, since the last one that was near the bottom. */
export function riseOf(counted: readonly Count[]): {
  readonly millis: number;
  readonly perMilli: number;
} {
  const low = Math.min(...counted.map(({ live }) => live));
  const last = (counted.at(-1) as Count).live;
  const bottom = low + (1 - RISING_PART) * (last - low);
  const { rise, millis } = changeOf(
    counted.slice(counted.findLastIndex(({ live }) => live <= bottom)),
  );
  return { millis: millis / RISING_PART, perMilli: rise / millis };
}

/**
 * Whether there are more because more come and go: by Little's law (J. D. C. Little, 1961), twice as many that leave in a minute are
 * twice as many at any time, if each stays as long as before. A leak has more although no more leave.
 *
 * Of objects that live for long, more come before more leave. Since those of a leak come as well, that counts only if most leave.
 */
export function isMoreTraffic(counted: readonly Count[]): boolean {
  const middle = Math.floor(counted.length / 2);
  const earlier = changeOf(counted.slice(0, middle + 1));
  const later = changeOf(counted.slice(middle));
  const rise = later.mean - earlier.mean;
  const explains = (before: number, after: number): boolean => {
    const ratio = after / later.millis / (before / earlier.millis);
    return earlier.mean * (ratio - 1) >= MIN_EXPLAINED * rise;
  };
  const turnover = later.deaths / later.births;
  return (
    (turnover >= MIN_TURNOVER && explains(earlier.deaths, later.deaths)) ||
    (turnover >= HIGH_TURNOVER && explains(earlier.births, later.births))
  );
}

/**
 * Whether there are more members because there are more components that have them, about as many in each as before. Such members go
 * with their component, and its own number says whether it is a leak.
 */
export function followsComponents(
  members: readonly Count[],
  components: readonly Count[],
): boolean {
  const [firstComponents, lastComponents] = [components[0], components.at(-1)];
  if (firstComponents === undefined || lastComponents === undefined) return false;
  const last = members.at(-1) as Count;
  const first = members.find(({ at }) => at >= firstComponents.at) ?? last;
  const perComponent = first.live / Math.max(firstComponents.live, 1);
  const explained = perComponent * (lastComponents.live - firstComponents.live);
  return explained > 0 && explained >= MIN_EXPLAINED * (last.live - first.live);
}
