/** The context that a cache gives to the `load` option. */
import type { EntryTerms } from '../entry-terms.js';
import type { LoadContext } from '../load-context.js';
import type { SharedLoad, SharedLoadContext } from '../shared-port.js';

/** A context that makes its signal on first use: most loads take none, and a controller costs 2 µs. */
export class OwnLoadContext implements LoadContext, SharedLoadContext {
  readonly args: never[];
  readonly stale: never;
  ttl: number | undefined = undefined;
  tags: Iterable<string> | undefined = undefined;
  shared: SharedLoad | undefined = undefined;
  remaining: number | undefined = undefined;
  age: number | undefined = undefined;
  replacesInvalidated = false;
  /** The terms on which the result or the failure was stored, if it was. */
  kept: EntryTerms | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(args: readonly unknown[], stale: unknown) {
    this.args = [...args] as never[];
    this.stale = stale as never;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** Whether the loader has taken the signal. */
  get signalTaken(): boolean {
    return this.#controller !== undefined;
  }

  /** Aborts the signal, also one that the loader takes later. */
  abort(reason: unknown): void {
    void this.signal;
    this.#controller?.abort(reason);
  }
}
