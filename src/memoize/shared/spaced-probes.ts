/**
 * The probes of an outside system that gives no answers: one at a time. Its client keeps each request until it is answered, so probes
 * must be few. The time between two of them doubles, so a short outage ends early, and a long one costs little.
 */
import type { Clock } from '../../core/clock.js';

/** The time after the first probe, in milliseconds. */
const FIRST_MILLIS = 1_000;
/** The longest time between two probes, in milliseconds. */
const MAX_MILLIS = 10_000;

/** The probes of one system. */
export class SpacedProbes {
  readonly #clock: Clock;
  #notBefore = Number.NEGATIVE_INFINITY;
  #millis = FIRST_MILLIS;
  #running: Promise<void> | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a probe, and gives its outcome; `undefined` if one runs, or if the last one was a short time ago. */
  begin(probe: () => Promise<void>): Promise<void> | undefined {
    return this.#running === undefined && this.#mayBegin() ? this.#run(probe) : undefined;
  }

  /** Waits for the end of the probe that runs, if one does. Never rejects: the failure is told to who has begun it. */
  async ended(): Promise<void> {
    await this.#running?.catch(() => {});
  }

  /** Lets the next probe begin at once. */
  reset(): void {
    this.#notBefore = Number.NEGATIVE_INFINITY;
    this.#millis = FIRST_MILLIS;
  }

  #mayBegin(): boolean {
    const now = this.#clock.now();
    if (now < this.#notBefore) return false;
    if (now - this.#notBefore > MAX_MILLIS) this.#millis = FIRST_MILLIS; // Another outage.
    this.#notBefore = now + this.#millis;
    this.#millis = Math.min(2 * this.#millis, MAX_MILLIS);
    return true;
  }

  async #run(probe: () => Promise<void>): Promise<void> {
    this.#running = probe();
    try {
      await this.#running;
      this.reset();
    } finally {
      this.#running = undefined;
    }
  }
}
