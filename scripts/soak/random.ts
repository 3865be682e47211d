/** A seeded random generator: xorshift32, of George Marsaglia's "Xorshift RNGs" (2003). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** Returns a number from 0 to less than 1. */
  next(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32;
  }

  /** Returns an integer from 0 to less than `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** Chooses one of several, in proportion to their weights. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let rest = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      rest -= weight;
      if (rest < 0) return choice;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  }
}
