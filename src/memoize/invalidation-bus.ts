/// <reference lib="esnext.disposable" preserve="true" />
/** How caches of the same name, in several processes, tell each other what is no longer true. */

/** What a cache tells the bus that it listens on. */
export interface BusListener {
  /** Somebody has published a message; whoever published it may be told too. */
  message(text: string): void;
  /**
   * Whether messages arrive from now on. Until it is told so, and from when it is told otherwise, a cache trusts nothing
   * that it keeps by itself.
   */
  connected(state: boolean): void;
  /** Something failed that nobody was waiting for. */
  error(error: unknown): void;
}

/** A channel to all processes. */
export interface InvalidationBus {
  /** Sends a message to all who listen; rejects if it could not be sent. */
  publish(text: string): Promise<unknown>;
  /** Listens until that is disposed of. */
  subscribe(listener: BusListener): Disposable;
}
