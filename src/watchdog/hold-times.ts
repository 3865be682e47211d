/**
 * How long loans are held: a histogram with one bucket per power of two, so recording allocates nothing and a percentile is
 * known to within a factor of two, from below 1 ms up to 24 days.
 */
const BUCKETS = 32;

/** What is held for longer counts as this long. */
const LONGEST_MILLIS = 2 ** 31 - 1;

export class HoldTimes {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;

  /** How many were recorded. */
  get count(): number {
    return this.#count;
  }

  record(millis: number): void {
    const bucket = 32 - Math.clz32(Math.min(millis, LONGEST_MILLIS));
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
    this.#count++;
  }

  /** An upper bound, in milliseconds, for this share (0 to 1) of what was recorded; 0 if nothing was. */
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
}
