/** The port to a bus: the caches of one name in several processes tell each other their invalidations on it. */
/// <reference lib="esnext.disposable" preserve="true" />

/** A cache, as the bus sees it. */
export interface BusListener {
  /** Called for each published message. The publisher may get its own messages too. */
  message(text: string): void;
  /**
   * Called when the connection is established (`true`) or lost (`false`). A cache is not connected at first. While it is not
   * connected, it does not trust its own entries.
   */
  connected(state: boolean): void;
  /** Called when messages may have been lost while the connection seemed to hold. The cache does not trust the entries from before. */
  missed(): void;
  /** Called for an error of the bus that rejects no promise. */
  error(error: unknown): void;
}

/** A channel to all processes. */
export interface InvalidationBus {
  /** Sends a message to all listeners; rejects if it could not be sent. */
  publish(text: string): Promise<unknown>;
  /** Adds a listener. Disposing of the result removes it. */
  subscribe(listener: BusListener): Disposable;
}
