/**
 * Decides which rows leak. A row may retain memory that a later row gives back: a variable lives at one mark, and is gone at
 * the next. So what rows give back, call by call, is first set against what other rows retain: the row that it fits best.
 *
 * ```
 *   parsed   +1,040      logged gives back 1,040: nothing is left of parsed
 *   counted    +904      904 is left: leaks
 *   logged   -1,040
 * ```
 */
import type { Growth } from './growth.js';

/** Growth per call below which a row is no leak, in bytes: the least that an object takes. */
const MIN_LEAK = 16;

/**
 * Part of the largest leak below which another row is not named. Live variables differ in size from call to call, so rows beside
 * a leak seem to leak a little. A second leak shows once the largest is repaired.
 */
const MIN_PART = 0.1;

/** What a row retains at each of its calls. */
export interface RowGrowth {
  readonly calls: number;
  readonly growth: Growth | undefined;
}

/** Gives how many bytes a call of each row leaks at least; 0 for a row that does not leak. O(rows²). */
export function leaksOf(rows: readonly RowGrowth[]): number[] {
  const left = rows.map(({ calls, growth }) => Math.max(0, (growth?.least ?? 0) * calls));
  const givenBack = rows
    .map(({ calls, growth }) => Math.max(0, -(growth?.median ?? 0) * calls))
    .sort((a, b) => b - a);
  for (const bytes of givenBack) setAgainst(left, bytes);
  const largest = Math.max(0, ...left);
  return left.map((bytes, i) => {
    const perCall = bytes / (rows[i]?.calls ?? 1);
    return perCall >= MIN_LEAK && bytes >= MIN_PART * largest ? perCall : 0;
  });
}

/** Takes `bytes` off the least row that has as many; off the largest rows if none has. */
function setAgainst(left: number[], bytes: number): void {
  for (let rest = bytes; rest > 0; ) {
    let fit = -1;
    let largest = -1;
    for (const [i, size] of left.entries()) {
      if (size >= rest && (fit < 0 || size < (left[fit] as number))) fit = i;
      if (size > 0 && (largest < 0 || size > (left[largest] as number))) largest = i;
    }
    const at = fit >= 0 ? fit : largest;
    if (at < 0) return;
    const taken = Math.min(rest, left[at] as number);
    left[at] = (left[at] as number) - taken;
    rest -= taken;
  }
}
