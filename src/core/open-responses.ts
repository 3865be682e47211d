/**
 * The responses of HTTP connections that are not closed. A client may send requests without waiting for the responses before (pipelining).
 * If it leaves, Node emits `'close'` for the response that is being sent, and for none of those that wait behind it.
 */

import { makeRoomForListener } from './make-room-for-listener.js';

/** The part of a connection that is used: a socket of `node:net` has it. */
export interface Connection {
  /** Whether `'close'` was emitted. */
  readonly closed?: boolean;
  /** Adds a listener. */
  once(event: 'close', listener: () => void): unknown;
}

/** The open responses, by connection. `R` stands for a response. */
export class OpenResponses<R> {
  readonly #lost: (response: R) => void;
  readonly #byConnection = new WeakMap<Connection, Set<R>>();

  /** `lost` is called with each response that is left when its connection has closed. */
  constructor(lost: (response: R) => void) {
    this.#lost = lost;
  }

  /** Adds a response. Costs one listener for each connection: Node warns of more than ten. */
  add(connection: Connection | undefined, response: R): void {
    if (typeof connection?.once !== 'function') return; // A connection of another make.
    let open = this.#byConnection.get(connection);
    if (open === undefined) {
      open = new Set();
      this.#byConnection.set(connection, open);
      this.#follow(connection, open);
    }
    open.add(response);
  }

  /** Removes a response that has closed. */
  delete(connection: Connection | undefined, response: R): void {
    if (connection !== undefined) this.#byConnection.get(connection)?.delete(response);
  }

  #follow(connection: Connection, open: Set<R>): void {
    const closed = async (): Promise<void> => {
      await undefined; // The response that is being sent emits its own `'close'` now.
      for (const response of open) this.#lost(response);
      open.clear();
    };
    if (connection.closed === true) void closed();
    else {
      makeRoomForListener(connection);
      connection.once('close', () => void closed());
    }
  }
}
