/** The context that a cache gives to the `load` option. */

import type { EntryTerms } from '../entry-terms.js';
import type { LoadContext } from '../load-context.js';
import type { SharedLoad } from '../shared/shared-load.js';

/** The context that makes its signal when it is asked for one: most loads take none, and a controller costs 2 µs. */
export class OwnLoadContext implements LoadContext {
  readonly args: never[];
  readonly stale: never;
  ttl: number | undefined = undefined;
  tags: Iterable<string> | undefined = undefined;
  /** What it has to do with the shared level, where there is one. */
  shared: SharedLoad | undefined = undefined;
  /** On which terms its result was kept, once it was. */
  kept: EntryTerms | undefined = undefined;
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
