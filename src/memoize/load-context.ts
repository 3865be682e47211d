/** The argument of the option `load`. */
import type { AnyFn, Settled } from './any-fn.js';

/** One load, as its loader sees it. */
export interface LoadContext<F extends AnyFn = AnyFn> {
  /** The arguments of the call that began the load. */
  readonly args: Parameters<F>;
  /**
   * Aborts when no caller waits for the result any more. It is made when it is first read. A load that never reads it runs to
   * its end, and its result is kept.
   */
  readonly signal: AbortSignal;
  /** The result that this load replaces: a fresh one, or one within its stale windows; `undefined` for none. */
  readonly stale: Settled<F> | undefined;
  /** The `ttl` of this result in milliseconds, for the loader to set. @default the option `ttl` */
  ttl: number | undefined;
  /** Tags of this result besides those of the option `tags`, for the loader to set. @default none */
  tags: Iterable<string> | undefined;
}
