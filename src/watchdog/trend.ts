/**
 * What the counts of a population say of its trend: whether it keeps rising, for how long it has risen, and whether more traffic
 * explains it.
 */
import type { Count } from './count-series.js';

/** The least ratio of the pace in the later half to that in the earlier half. */
const MIN_PACE = 0.7;

/** How many of the last counts have to rise. */
const LAST_COUNTS = 4;

/** How far one of them may fall, as a part of the mean rise from one count to the next, or of the rise after a pause. */
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

/** How many pauses between two rises are needed to know how long such a pause usually lasts. */
const MIN_PAUSES = 3;

/** The part of the time in which objects that come in bursts pause. */
const PAUSED_PART = 0.2;

/** A pause that is this many times as long as usual is an end of the rise. */
const LONG_PAUSE = 1.5;

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

/**
 * Gives the counts as if objects that come in bursts came evenly. A job that runs every ten minutes adds its objects at once, and none
 * until its next run: its pauses are no end of the rise.
 *
 * ```
 *   live           ●──●──●            ●
 *         ●──●──●            ──▶    ●         a pause and the burst after it become a slope, and the last pause is cut off
 *                                ●
 * ```
 *
 * That holds for pauses of about the usual length, the median. A longer one, and one in which objects leave, stays as it is. So does a
 * burst of some length if there are few pauses. Cut off are the rest of a pause with which the counts begin, and the last burst as long as
 * it is shorter than usual.
 */
export function withoutPauses(counted: readonly Count[]): readonly Count[] {
  const pauses = pausesOf(counted);
  if (pauses.length < MIN_PAUSES) return counted;
  const usual = median(pauses.map(({ millis }) => millis));
  const isPause = (from: number, to: number, rise: number): boolean => {
    const least = (counted[from] as Count).live - MAX_FALL * rise;
    const isLevel = counted.slice(from, to).every(({ live }) => live >= least);
    return isLevel && millisBetween(counted, from, to) <= LONG_PAUSE * usual;
  };
  const hasBursts = pausedPart(counted, pauses) >= PAUSED_PART;
  const top = topOf(counted);
  const even = [...counted];
  let rise = 0;
  for (const [i, { from, to }] of pauses.entries()) {
    const end = hasBursts ? (pauses[i + 1]?.from ?? top) : to;
    const [low, high] = [counted[from], counted[end]] as [Count, Count];
    rise = high.live - low.live;
    if (!isPause(from, to, rise)) continue;
    for (let j = from + 1; j < end; j++) {
      const count = counted[j] as Count;
      even[j] = { ...count, live: low.live + (rise * (count.at - low.at)) / (high.at - low.at) };
    }
  }
  return even.slice(hasBursts ? beginOf(pauses, usual) : 0, endOf());

  function endOf(): number {
    const last = pauses.at(-1) as Pause;
    if (top < counted.length - 1)
      return isPause(top, counted.length - 1, rise) ? top + 1 : counted.length;
    const isShort = hasBursts && millisBetween(counted, last.to, top) < usualBurst(counted, pauses);
    return isShort ? last.from + 1 : counted.length;
  }
}

/** Where the first whole pause begins: the rest of a pause, or of a burst, is left out. */
function beginOf([first]: readonly Pause[], usual: number): number {
  if (first === undefined) return 0;
  return first.from === 0 && first.millis < usual / 2 ? first.to : first.from;
}

/** How long a burst usually lasts, in milliseconds: 0 if its objects come at once. */
function usualBurst(counted: readonly Count[], pauses: readonly Pause[]): number {
  return median(
    pauses.slice(1).map(({ from }, i) => millisBetween(counted, (pauses[i] as Pause).to, from)),
  );
}

/** The part of the time that the pauses take. */
function pausedPart(counted: readonly Count[], pauses: readonly Pause[]): number {
  return pauses.reduce((sum, { millis }) => sum + millis, 0) / changeOf(counted).millis;
}

/** Whether the objects come in bursts of `leastBurst` and more, as those of a job do. */
export function comesInBursts(counted: readonly Count[], leastBurst: number): boolean {
  const pauses = pausesOf(counted);
  if (pauses.length <= MIN_PAUSES || pausedPart(counted, pauses) < PAUSED_PART) return false;
  const bursts = pauses.slice(1).map(({ from }, i) => {
    return (counted[from] as Count).live - (counted[(pauses[i] as Pause).from] as Count).live;
  });
  return median(bursts) >= leastBurst;
}

/** The time between two peaks that are not one count after the other. */
interface Pause {
  /** The index of the peak before it. */
  readonly from: number;
  /** The index of the peak after it. */
  readonly to: number;
  readonly millis: number;
}

function pausesOf(counted: readonly Count[]): Pause[] {
  const peaks = peaksOf(counted);
  return peaks.slice(1).flatMap((to, i) => {
    const from = peaks[i] as number;
    return to - from > 1 ? [{ from, to, millis: millisBetween(counted, from, to) }] : [];
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}

/** Where the counts are highest for the first time. */
function topOf(counted: readonly Count[]): number {
  return peaksOf(counted).at(-1) as number;
}

/** Where the counts are higher than each one before. */
function peaksOf(counted: readonly Count[]): number[] {
  const peaks: number[] = [];
  let highest = Number.NEGATIVE_INFINITY;
  for (const [i, { live }] of counted.entries()) {
    if (live <= highest) continue;
    highest = live;
    peaks.push(i);
  }
  return peaks;
}

function millisBetween(counted: readonly Count[], from: number, to: number): number {
  return (counted[to] as Count).at - (counted[from] as Count).at;
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
