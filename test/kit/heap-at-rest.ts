import { collectGarbage } from './collect-garbage.js';

/** What a collection at rest may still free, in bytes. */
const NOISE = 10_000;

/**
 * Gives the used heap when several collections in a row have freed no more, in bytes. Thousands of deaths are handled in many turns, and
 * a collection between two of them may free nothing.
 */
export async function heapAtRest(): Promise<number> {
  let lowest = Number.POSITIVE_INFINITY;
  for (let quiet = 0; quiet < 4; quiet++) {
    await collectGarbage();
    const { heapUsed } = process.memoryUsage();
    if (heapUsed < lowest - NOISE) quiet = -1;
    lowest = Math.min(lowest, heapUsed);
  }
  return lowest;
}
