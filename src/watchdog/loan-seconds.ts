/** Tells which loans are the first in their second: a sample that has them has all loans of a quiet component. */

/** Tells when a loan begins. */
export interface LoanClock {
  /** The time in whole milliseconds. */
  loanTime(): number;
}

export class LoanSeconds {
  readonly #clock: LoanClock;
  #second = 0;

  constructor(clock: LoanClock) {
    this.#clock = clock;
  }

  /** Whether this is the first call in its second. O(1). */
  beginsOne(): boolean {
    const second = Math.floor(this.#clock.loanTime() / 1_000);
    if (second === this.#second) return false;
    this.#second = second;
    return true;
  }
}
