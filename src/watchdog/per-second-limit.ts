/** Limits how many loans of each second a sample takes: it then has all loans of a quiet component. */

/** Tells when a loan begins. */
export interface LoanClock {
  /** The time in whole milliseconds. */
  loanTime(): number;
}

const SECOND_MILLIS = 1_000;

export class PerSecondLimit {
  readonly #most: number;
  /** When the present second ends, in milliseconds. */
  #end = 0;
  #left = 0;

  /** Takes the first `most` loans of each second. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a loan that begins at `now`. True if it is within the limit. O(1). */
  takeNext(now: number): boolean {
    if (now >= this.#end || now < this.#end - SECOND_MILLIS) {
      this.#end = (Math.floor(now / SECOND_MILLIS) + 1) * SECOND_MILLIS;
      this.#left = this.#most;
    }
    return this.#left > 0 && this.#left-- > 0;
  }
}
