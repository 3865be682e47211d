/** The types of functions that can be memoized, and of their results. */

/** Any function. */
export type AnyFn = (...args: never[]) => unknown;

/** The settled result of a function. */
export type Settled<F extends AnyFn> = Awaited<ReturnType<F>>;
