/**
 * The high-water mark of a number that is counted again and again. A cache that is cleared and fills again, or a load that follows the
 * hours of the day, comes back to its earlier peak: that is no growth. A leak passes it.
 *
 * ```
 *   peak ── ● ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ●  passed: more than the peak by a fifth of the fall
 *          ╱ ╲                       ╱
 *         ╱   ╲    is below it      ╱
 *               ╲ ● low ● ────────╱
 * ```
 */

/** The part of the peak by which a number has to fall, so that a rise from there is none. */
const DEEP_FALL = 0.1;

/** How far a rise has to pass the peak, as a part of the fall before it. */
const MIN_PASSED = 0.2;

/** How long a peak is remembered after the number was last near it: a day and the time of its peak, in milliseconds. */
const MEMORY_MILLIS = 26 * 3_600_000;

export class HighWater {
  #peak = 0;
  #peakAt = 0;
  /** The least number since the peak. */
  #low = 0;

  /** Takes note of a count. O(1). */
  note(live: number, at: number): void {
    const isPassed = live - this.#peak >= MIN_PASSED * (this.#peak - this.#low);
    if (isPassed || at - this.#peakAt > MEMORY_MILLIS) {
      this.#peak = live;
      this.#peakAt = at;
      this.#low = live;
    } else {
      this.#low = Math.min(this.#low, live);
      if (live >= (1 - DEEP_FALL) * this.#peak) this.#peakAt = at;
    }
  }

  /** Whether the number has fallen from a peak, and has not passed it since. */
  get isBelow(): boolean {
    return this.#low < (1 - DEEP_FALL) * this.#peak;
  }
}
