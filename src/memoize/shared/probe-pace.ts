/**
 * The time between two probes of an outside system that gives no answers. Its client keeps each request until it is answered, so
 * probes must be few. The time doubles with each probe, so a short outage ends early, and a long one costs little.
 */
import type { Clock } from '../../core/clock.js';

/** The time after the first probe, in milliseconds, and the longest one. */
const [FIRST_MILLIS, MOST_MILLIS] = [1_000, 10_000];

/** Decides when a probe may begin. */
export class ProbePace {
  readonly #clock: Clock;
  #notBefore = Number.NEGATIVE_INFINITY;
  #millis = FIRST_MILLIS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a probe may begin now. If so, its caller begins it. */
  mayProbe(): boolean {
    const now = this.#clock.now();
    if (now < this.#notBefore) return false;
    if (now - this.#notBefore > MOST_MILLIS) this.#millis = FIRST_MILLIS; // Another outage.
    this.#notBefore = now + this.#millis;
    this.#millis = Math.min(2 * this.#millis, MOST_MILLIS);
    return true;
  }

  /** Lets a probe begin now. */
  reset(): void {
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#millis = FIRST_MILLIS;
  }
}
