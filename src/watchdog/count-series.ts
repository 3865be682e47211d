/**
 * The counts of a population on several scales of time. A leak by a busy route shows within minutes, that of a job within hours, and one
 * of a few objects an hour within a day.
 */

/** What was counted at one full collection. */
export interface Count {
  /** When, in milliseconds. */
  readonly at: number;
  readonly live: number;
  /** How many had died by then. */
  readonly freed: number;
}

/** A scale of time. */
export interface Scale {
  /** The shortest time between two counts, in milliseconds. */
  readonly everyMillis: number;
  /** How many counts are kept. */
  readonly kept: number;
  /** How far the latest counts reach back, in milliseconds: they have forgotten how the service began, and the traffic of before. */
  readonly recentMillis: number;
  /** For how long the counts have to rise, in milliseconds. */
  readonly patienceMillis: number;
  /** Whether only objects that come in bursts are judged, as those of a job. */
  readonly isForBursts: boolean;
}

/** The counts of the full collections. The options of the rule say for how long they have to rise. */
export const MINUTES: Scale = {
  everyMillis: 50_000,
  kept: 96,
  recentMillis: 24 * 60_000,
  patienceMillis: 0,
  isForBursts: false,
};

/**
 * Counts of five minutes. A number that rises steadily for some hours may follow the load of the day, so only bursts are told by them.
 */
export const JOBS: Scale = {
  everyMillis: 5 * 60_000,
  kept: 120,
  recentMillis: 4 * 3_600_000,
  patienceMillis: 4 * 3_600_000,
  isForBursts: true,
};

/** The scales, the finest first. */
export const SCALES: readonly Scale[] = [
  MINUTES,
  JOBS,
  {
    everyMillis: 3_600_000,
    kept: 120,
    recentMillis: 60 * 3_600_000,
    patienceMillis: 24 * 3_600_000,
    isForBursts: false,
  },
];

/** Fewer objects are no leak for long, and their counts on the coarse scales are not kept. */
const MIN_LIVE = 16;

/** The counts on one scale. */
export class CountSeries {
  readonly #scale: Scale;
  #counts: Count[] = [];

  constructor(scale: Scale) {
    this.#scale = scale;
  }

  /** The counts, the oldest first. */
  get counts(): readonly Count[] {
    return this.#counts;
  }

  /** Adds a count. A coarse scale leaves it out if the last one is too near. O(1). */
  add(count: Count): void {
    const isFinest = this.#scale === MINUTES;
    if (!isFinest && count.live < MIN_LIVE) {
      this.#counts.length = 0;
      return;
    }
    const last = this.#counts.at(-1);
    if (!isFinest && last !== undefined && count.at - last.at < this.#scale.everyMillis) return;
    this.#counts.push(count);
    if (this.#counts.length > this.#scale.kept) this.#counts.shift();
  }

  removeLast(): void {
    this.#counts.pop();
  }
}
