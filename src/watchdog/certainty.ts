/**
 * How sure the watchdog is: `suspect` may be a slow job, `probable` has no holder left by the simulated reference count,
 * `certain` was confirmed by V8's collector.
 */
export type Certainty = 'suspect' | 'probable' | 'certain';
