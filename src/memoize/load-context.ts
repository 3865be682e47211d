/** What the `load` option is given. */

import type { AnyFn, Settled } from './any-fn.js';
import type { SharedLoad } from './shared-load.js';
import type { Terms } from './terms.js';

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

/** The context that makes its signal when it is asked for one: most loads take none, and a controller costs 2 µs. */
export class OwnLoadContext implements LoadContext {
  readonly args: never[];
  readonly stale: never;
  ttl: number | undefined = undefined;
  tags: Iterable<string> | undefined = undefined;
  /** What it has to do with the shared level, where there is one. */
  shared: SharedLoad | undefined = undefined;
  /** On which terms its result was kept, once it was. */
  kept: Terms | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(args: readonly unknown[], stale: unknown) {
    this.args = args as never[];
    this.stale = stale as never;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Whether the loader has asked for the signal. */
  get signalTaken(): boolean {
    return this.#controller !== undefined;
  }

  abort(reason: unknown): void {
    this.#controller?.abort(reason);
  }
}
