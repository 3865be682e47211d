/** Objects that come in bursts, as those of a job that runs every ten minutes, and the pauses between the bursts. */
import type { Count } from './count-series.js';

/** How many pauses are needed to know how long such a pause usually lasts. */
const MIN_PAUSES = 3;

/** The part of the time in which objects that come in bursts pause. */
const PAUSED_PART = 0.2;

/** A pause that is this many times as long as usual is an end of the rise. */
const LONG_PAUSE = 1.5;

/** How far a count may fall in a pause, as a part of the rise after it. */
const MAX_FALL = 0.25;

/** The time between two peaks that are not one count after the other. */
interface Pause {
  /** The index of the peak before it: the top of a burst. */
  readonly from: number;
  /** The index of the peak after it. */
  readonly to: number;
  readonly millis: number;
}

/**
 * Gives the counts as if objects that come in bursts came evenly: the pauses of a job are no end of the rise.
 *
 * ```
 *   live           ●──●──●            ●
 *         ●──●──●            ──▶    ●         a pause becomes a slope, and the last one is cut off
 *                                ●
 * ```
 *
 * That holds for pauses of about the usual length, the median. A longer one, and one in which objects leave, stays as it is. Cut off is also
 * the rest of a pause or of a burst with which the counts begin.
 */
export function withoutPauses(counted: readonly Count[]): readonly Count[] {
  const bursts = new Bursts(counted);
  return bursts.arePaused ? bursts.even() : counted;
}

/** Whether the objects come in bursts of `leastBurst` and more. */
export function comesInBursts(counted: readonly Count[], leastBurst: number): boolean {
  const bursts = new Bursts(counted);
  return bursts.areRegular && bursts.usualRise >= leastBurst;
}

class Bursts {
  readonly #counted: readonly Count[];
  readonly #pauses: readonly Pause[];
  /** The index of the highest count. */
  readonly #top: number;

  constructor(counted: readonly Count[]) {
    const peaks = peaksOf(counted);
    this.#counted = counted;
    this.#top = peaks.at(-1) ?? 0;
    this.#pauses = peaks.slice(1).flatMap((to, i) => {
      const from = peaks[i] as number;
      return to - from > 1 ? [{ from, to, millis: this.#millis(from, to) }] : [];
    });
  }

  /** Whether the usual length of a pause is known. */
  get arePaused(): boolean {
    return this.#pauses.length >= MIN_PAUSES;
  }

  /** Whether whole bursts are known, and the pauses take their part of the time. */
  get areRegular(): boolean {
    return this.#pauses.length > MIN_PAUSES && this.#areApart;
  }

  /** By how much a burst usually rises. */
  get usualRise(): number {
    const tops = this.#pauses.map(({ from }) => from);
    return median(tops.slice(1).map((top, i) => this.#rise(tops[i] as number, top)));
  }

  even(): readonly Count[] {
    const even = [...this.#counted];
    for (const { from, to } of this.#pauses) {
      if (!this.#isPause(from, to, this.#rise(from, to))) continue;
      for (let j = from + 1; j < to; j++) even[j] = this.#between(from, to, j);
    }
    return even.slice(this.#begin, this.#end);
  }

  get #areApart(): boolean {
    const paused = this.#pauses.reduce((sum, { millis }) => sum + millis, 0);
    return paused >= PAUSED_PART * this.#millis(0, this.#counted.length - 1);
  }

  get #usualPause(): number {
    return median(this.#pauses.map(({ millis }) => millis));
  }

  /** Where the first whole pause begins. */
  get #begin(): number {
    const [first] = this.#pauses as [Pause];
    if (!this.#areApart) return 0;
    return first.from === 0 && first.millis < this.#usualPause / 2 ? first.to : first.from;
  }

  /** Where the last pause begins. */
  get #end(): number {
    const { length } = this.#counted;
    const last = this.#pauses.at(-1) as Pause;
    const isPause = this.#isPause(this.#top, length - 1, this.#rise(last.from, last.to));
    return isPause ? this.#top + 1 : length;
  }

  #isPause(from: number, to: number, rise: number): boolean {
    const least = this.#at(from).live - MAX_FALL * rise;
    const isLevel = this.#counted.slice(from, to).every(({ live }) => live >= least);
    return isLevel && this.#millis(from, to) <= LONG_PAUSE * this.#usualPause;
  }

  /** The count at `index`, as if it were on the line from one count to another. */
  #between(from: number, to: number, index: number): Count {
    const count = this.#at(index);
    const part = this.#millis(from, index) / this.#millis(from, to);
    return { ...count, live: this.#at(from).live + this.#rise(from, to) * part };
  }

  #at(index: number): Count {
    return this.#counted[index] as Count;
  }

  #rise(from: number, to: number): number {
    return this.#at(to).live - this.#at(from).live;
  }

  #millis(from: number, to: number): number {
    return this.#at(to).at - this.#at(from).at;
  }
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

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] as number;
}
