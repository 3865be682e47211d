/**
 * How long to leave a failing factory alone: twice as long after each failure in a row, up to a limit, less up to half
 * of it at random, so that the pools of many processes do not knock on a recovering server all at once.
 */

/** The wait after the first failure, in milliseconds. */
const FIRST_MILLIS = 10;

/** The longest wait, in milliseconds. */
const LONGEST_MILLIS = 5_000;

/** The wait after `failures` failures in a row, in milliseconds. `random` gives a number from 0 up to 1. */
export function backoffMillis(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_MILLIS, FIRST_MILLIS * 2 ** (failures - 1));
  return full * (1 - random() / 2);
}
