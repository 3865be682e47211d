/**
 * How sure the watchdog is that a loan is lost.
 *
 * - `suspect`: it may be a slow job.
 * - `probable`: the simulated heap knows of no holder, or the component is exhausted and a caller waits.
 * - `certain`: V8's collector has confirmed it.
 */
export type Certainty = 'suspect' | 'probable' | 'certain';

const WEAKEST_FIRST: readonly Certainty[] = ['suspect', 'probable', 'certain'];

/** Gives the surer of two. */
export function surerOf(first: Certainty, second: Certainty): Certainty {
  return isSurer(second, first) ? second : first;
}

/** Whether `first` is surer than `second`. */
export function isSurer(first: Certainty, second: Certainty): boolean {
  return WEAKEST_FIRST.indexOf(first) > WEAKEST_FIRST.indexOf(second);
}
