/**
 * Whether the work of a transaction has ended it. The server tells that with each statement: by the tag `COMMIT`, and by the status after
 * each message. So no round trip is needed, and a new transaction is told from the old one: `commit; begin` in one message has the tag,
 * although a transaction is open before and after it. The tag `ROLLBACK` tells nothing: `rollback to savepoint` has it, too.
 */
import type { ClientBase } from 'pg';

/** The events of pg's connection that are read. */
interface ConnectionEvents {
  commandComplete(message: { readonly text: string }): void;
  readyForQuery(message: { readonly status: string }): void;
}

/** What pg's types do not declare. */
interface Connection {
  on<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): unknown;
  off<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): unknown;
}

/** Watches the transaction that is open on one client. */
export class PgTransactionEnd {
  readonly #connection: Connection | undefined;
  /** Whether the transaction has ended. */
  isSeen = false;

  readonly #onComplete: ConnectionEvents['commandComplete'] = ({ text }) => {
    if (text === 'COMMIT') this.isSeen = true;
  };

  readonly #onReady: ConnectionEvents['readyForQuery'] = ({ status }) => {
    if (status === 'I') this.isSeen = true;
  };

  /** A client of `pg-native` has no connection: nothing is seen. */
  constructor(client: ClientBase) {
    this.#connection = (client as { readonly connection?: Connection }).connection;
    this.#connection?.on('commandComplete', this.#onComplete);
    this.#connection?.on('readyForQuery', this.#onReady);
  }

  /** Ends the watch. */
  stop(): void {
    this.#connection?.off('commandComplete', this.#onComplete);
    this.#connection?.off('readyForQuery', this.#onReady);
  }
}
