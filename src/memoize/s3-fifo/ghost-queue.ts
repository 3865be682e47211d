/**
 * The ghost queue of S3-FIFO: the fingerprints of recently evicted keys, in a hash table instead of a queue.
 *
 * The trick is described in section 4.2 of the paper. A fingerprint is stored in a small bucket of a hash table, with the time
 * of its insertion. The time is counted in evictions. A fingerprint counts as forgotten once its age exceeds the length of the
 * queue, and a later insertion reuses its place. So no fingerprint is ever unlinked, moved or swept.
 *
 * If all places of a bucket are in use, its oldest fingerprint is forgotten a little early. A false match needs two keys with
 * one fingerprint in one bucket. It costs one entry in the wrong queue.
 */

/** How many fingerprints a bucket has places for. */
const BUCKET = 8;

/** The fingerprints of the last `length` evictions. */
export class GhostQueue {
  /** How many evictions it remembers. */
  readonly length: number;
  readonly #fingerprints: Uint32Array;
  /** When each fingerprint was inserted, in evictions; 0 for an empty place. */
  readonly #times: Float64Array;
  readonly #bucketMask: number;
  #now: number;

  /** `before` is a queue of another length whose fingerprints are taken over. */
  constructor(length: number, before?: GhostQueue) {
    this.length = length;
    this.#now = length; // An empty place, with the time 0, thus counts as forgotten.
    let buckets = 1;
    while (buckets * BUCKET < length * 2) buckets *= 2;
    this.#bucketMask = buckets - 1;
    this.#fingerprints = new Uint32Array(buckets * BUCKET);
    this.#times = new Float64Array(buckets * BUCKET);
    if (before !== undefined) for (const print of before.#remembered()) this.add(print);
  }

  /** Inserts a fingerprint. O(1). */
  add(print: number): void {
    const place = this.#placeFor(print);
    this.#now++;
    this.#fingerprints[place] = print;
    this.#times[place] = this.#now;
  }

  /** Removes a fingerprint; false if the queue does not have it. O(1). */
  take(print: number): boolean {
    const first = this.#bucketOf(print);
    for (let place = first; place < first + BUCKET; place++) {
      if (this.#fingerprints[place] !== print) continue;
      const remembered = (this.#times[place] as number) > this.#now - this.length;
      this.#times[place] = 0;
      if (remembered) return true;
    }
    return false;
  }

  #bucketOf(print: number): number {
    return (print & this.#bucketMask) * BUCKET;
  }

  #placeFor(print: number): number {
    const first = this.#bucketOf(print);
    let oldest = first;
    for (let place = first; place < first + BUCKET; place++) {
      if (this.#fingerprints[place] === print) return place;
      if ((this.#times[place] as number) < (this.#times[oldest] as number)) oldest = place;
    }
    return oldest;
  }

  /** All fingerprints, oldest first. O(n log n). */
  #remembered(): number[] {
    const places: number[] = [];
    for (const [place, time] of this.#times.entries()) {
      if (time > this.#now - this.length) places.push(place);
    }
    places.sort((a, b) => (this.#times[a] as number) - (this.#times[b] as number));
    return places.map((place) => this.#fingerprints[place] as number);
  }
}
