/**
 * The pause after a failure of the factory: 10 ms, then twice as long after each failure in a row, up to 5 s. A random part of
 * up to one half is taken off. So the pools of many processes do not all reach a recovering server at once.
 */

import { fractionFrom } from '../../core/fraction.js';

/** The pause after the first failure, in milliseconds. */
const FIRST_MILLIS = 10;

/** The longest pause, in milliseconds. */
export const LONGEST_MILLIS = 5_000;

/** The pause after `failures` failures in a row, in milliseconds. `random` gives a number from 0 up to 1. */
export function backoffMillis(failures: number, random: () => number): number {
  const full = Math.min(LONGEST_MILLIS, FIRST_MILLIS * 2 ** (failures - 1));
  return full * (1 - fractionFrom(random) / 2);
}
