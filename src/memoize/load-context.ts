/** The argument of the `load` option. */

import type { AnyFn, Settled } from './any-fn.js';

/** One load, as its loader sees it. */
export interface LoadContext<F extends AnyFn = AnyFn> {
  /** The arguments of the call that began the load. */
  readonly args: Parameters<F>;
  /**
   * Aborted when nobody waits for the result any more. Made when it is first read; a load that never reads it runs to
   * its end, and its result is kept.
   */
  readonly signal: AbortSignal;
  /** The result that this load is to replace, expired or not; `undefined` for none. */
  readonly stale: Settled<F> | undefined;
  /** Set it to give the result a `ttl` of its own, in milliseconds. */
  ttl: number | undefined;
  /** Set it to give the result tags besides those of the `tags` option. */
  tags: Iterable<string> | undefined;
}
