/**
 * A histogram of durations, in buckets that grow by the eighth root of 2. Recording allocates nothing. A percentile is at most
 * 9 % above the true one, and never below it. The first bucket is for durations below a microsecond, the last for durations
 * above an hour.
 */
const PER_DOUBLING = 8;
const SHORTEST_MILLIS = 0.001;
const BUCKETS = 32 * PER_DOUBLING;

/** A histogram of durations in milliseconds. */
export class MillisHistogram {
  readonly #buckets: Uint32Array = new Uint32Array(BUCKETS);
  /** How many durations were recorded. */
  count = 0;
  /** The sum of all durations. */
  totalMillis = 0;
  /** The longest duration. */
  maxMillis = 0;

  /** Records one duration. O(1). */
  record(millis: number): void {
    this.count++;
    this.totalMillis += millis;
    this.maxMillis = Math.max(this.maxMillis, millis);
    const bucket = bucketOf(millis);
    this.#buckets[bucket] = (this.#buckets[bucket] as number) + 1;
  }

  /** Gives the duration that this `share` (0 to 1) of all does not exceed; 0 if none was recorded. O(buckets). */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS - 1; bucket++) {
      seen += this.#buckets[bucket] as number;
      if (seen >= rank) return Math.min(upperEdge(bucket), this.maxMillis);
    }
    return this.maxMillis;
  }
}

function bucketOf(millis: number): number {
  if (!(millis >= SHORTEST_MILLIS)) return 0;
  const bucket = 1 + Math.floor(PER_DOUBLING * Math.log2(millis / SHORTEST_MILLIS));
  return Math.min(bucket, BUCKETS - 1);
}

function upperEdge(bucket: number): number {
  return SHORTEST_MILLIS * 2 ** (bucket / PER_DOUBLING);
}
