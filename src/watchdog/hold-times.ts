/**
 * A histogram of how long loans are held, with one bucket per power of two. Recording allocates nothing and takes one
 * instruction to find the bucket. A percentile is exact to a factor of two, from below 1 ms up to 24 days.
 */
const BUCKETS = 32;

/** A longer time is recorded as this one. */
const LONGEST_MILLIS = 2 ** 31 - 1;

/** How many returned loans a percentile has to be drawn from. */
export const ENOUGH_SAMPLES = 20;

/** The hold times of one component's loans. */
export class HoldTimes {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;
  #longestMillis = 0;

  /** How many times were recorded. */
  get count(): number {
    return this.#count;
  }

  /** The longest of them, in milliseconds; 0 if none was recorded. */
  get longestMillis(): number {
    return this.#longestMillis;
  }

  /** Records one time. O(1). */
  record(millis: number): void {
    if (millis > this.#longestMillis) this.#longestMillis = millis;
    const bucket = 32 - Math.clz32(Math.min(millis, LONGEST_MILLIS));
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#count++;
  }

  /** Gives an upper bound, in milliseconds, of the shortest `share` (0 to 1) of the times; 0 if none was recorded. */
  percentile(share: number): number {
    let rest = Math.ceil(this.#count * share);
    if (rest === 0) return 0;
    let bucket = 0;
    for (; bucket < BUCKETS - 1; bucket++) {
      rest -= this.#buckets[bucket] as number;
      if (rest <= 0) break;
    }
    return 2 ** bucket;
  }

  /** Gives `factor` times the 99th percentile, in milliseconds; `undefined` while too few loans have come back to tell. */
  unusualMillis(factor: number): number | undefined {
    return this.#count < ENOUGH_SAMPLES ? undefined : factor * this.percentile(0.99);
  }
}
