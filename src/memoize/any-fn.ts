/** What can be memoized, and what it gives. */

/** Any function. */
export type AnyFn = (...args: never[]) => unknown;

/** What a function's result is once it has settled. */
export type Settled<F extends AnyFn> = Awaited<ReturnType<F>>;
