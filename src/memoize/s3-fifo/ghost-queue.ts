/**
 * The keys that were evicted of late, as fingerprints: S3-FIFO's ghost queue without a queue.
 *
 * Section 4.2 of the paper describes the trick. Each fingerprint lies in a small bucket of a hash table together with the
 * time it was put there, counted in evictions. What is older than the queue would be long has dropped out of it, and
 * its place is taken when one is needed: nothing is ever unlinked, moved or swept. If a bucket is full of what still
 * counts, its oldest goes a little early. A false recognition needs two keys that agree in 32 bits within one bucket;
 * its price is one entry in the wrong queue.
 */

const BUCKET = 8;

/** The last so many fingerprints. */
export class GhostQueue {
  /** How many evictions it remembers. */
  readonly length: number;
  readonly #fingerprints: Uint32Array;
  /** When each was put there; 0 for an empty place. */
  readonly #times: Float64Array;
  readonly #bucketMask: number;
  #now: number;

  /** Takes over what a shorter or longer queue remembers. */
  constructor(length: number, before?: GhostQueue) {
    this.length = length;
    this.#now = length; // So that 0 is too long ago.
    let buckets = 1;
    while (buckets * BUCKET < length * 2) buckets *= 2;
    this.#bucketMask = buckets - 1;
    this.#fingerprints = new Uint32Array(buckets * BUCKET);
    this.#times = new Float64Array(buckets * BUCKET);
    if (before !== undefined) for (const print of before.#remembered()) this.add(print);
  }

  /** Remembers a fingerprint. */
  add(print: number): void {
    const place = this.#placeFor(print);
    this.#now++;
    this.#fingerprints[place] = print;
    this.#times[place] = this.#now;
  }

  /** Forgets a fingerprint; false if it was not remembered. */
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

  /** Oldest first. */
  #remembered(): number[] {
    const alive: number[] = [];
    for (const [place, time] of this.#times.entries()) {
      if (time > this.#now - this.length) alive.push(place);
    }
    alive.sort((a, b) => (this.#times[a] as number) - (this.#times[b] as number));
    return alive.map((place) => this.#fingerprints[place] as number);
  }
}
