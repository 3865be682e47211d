/**
 * How sure the watchdog is: `suspect` may be a slow job, `probable` has no holder left by the simulated reference count,
 * `certain` was confirmed by V8's collector.
 */
export type Certainty = 'suspect' | 'probable' | 'certain';

const WEAKEST_FIRST: readonly Certainty[] = ['suspect', 'probable', 'certain'];

/** The surer of two. */
export function surerOf(first: Certainty, second: Certainty): Certainty {
  return WEAKEST_FIRST.indexOf(first) < WEAKEST_FIRST.indexOf(second) ? second : first;
}
