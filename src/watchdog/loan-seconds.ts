/** Tells which loans are the first in their second: a sample that has them has all loans of a quiet component. */

/** Tells when a loan begins. */
export interface LoanClock {
  /** The time in whole milliseconds. */
  loanTime(): number;
}

export class LoanSeconds {
  readonly #clock: LoanClock;
  readonly #most: number;
  #second = 0;
  #left: number;

  /** `most` is how many loans of a second are its first ones. */
  constructor(clock: LoanClock, most: number) {
    this.#clock = clock;
    this.#most = most;
    this.#left = most;
  }

  /** Counts the next loan. True if it is one of the first in its second. O(1). */
  takeNext(): boolean {
    const second = Math.floor(this.#clock.loanTime() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#left = this.#most;
    }
    return this.#left > 0 && this.#left-- > 0;
  }
}
