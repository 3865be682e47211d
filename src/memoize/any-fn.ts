/** The types of functions that can be memoized, and of their results. */

/** A function that is called with any receiver and any arguments. */
export type Callable = (this: unknown, ...args: unknown[]) => unknown;

/** Any function. */
export type AnyFn = (...args: never[]) => unknown;

/** The settled result of a function. */
export type Settled<F extends AnyFn> = Awaited<ReturnType<F>>;
