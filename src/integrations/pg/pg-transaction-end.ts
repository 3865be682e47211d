/**
 * Whether the work of a transaction has ended it. The server tells that with each statement: by its tag, and by the status after each
 * message. So no round trip is needed, and a new transaction is told from the old one: `commit; begin` in one message has the tag `COMMIT`,
 * although a transaction is open before and after it. The tag `ROLLBACK` alone tells nothing: `rollback to savepoint` has it, too. In
 * `rollback; begin` the tag of a begin follows, without the server's warning that a transaction is open. For
 * `rollback and chain` the text is read.
 */
import type { ClientBase } from 'pg';

/** SQLSTATE active_sql_transaction: the server's warning at a begin within a transaction. */
export const OPEN_TRANSACTION = '25001';

/** The events of pg's connection that are read. */
interface ConnectionEvents {
  commandComplete(message: { readonly text: string }): void;
  notice(message: { readonly code?: string }): void;
  readyForQuery(message: { readonly status: string }): void;
}

/** pg's connection. */
interface Connection {
  on<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): unknown;
  off<E extends keyof ConnectionEvents>(event: E, listener: ConnectionEvents[E]): unknown;
}

/** What pg's types do not declare. A client of `pg-native` has no connection. */
interface WatchedClient {
  readonly connection?: Connection;
  readonly _activeQuery?: { readonly text?: string } | null;
}

/** The tags of statements that end a transaction. */
const ENDS: ReadonlySet<string> = new Set(['COMMIT', 'PREPARE TRANSACTION']);

/** The tags of statements that begin one. */
const BEGINS: ReadonlySet<string> = new Set(['BEGIN', 'START TRANSACTION']);

/** A rollback that begins a transaction. */
const CHAINS = /\b(?:rollback|abort)(?:\s+(?:work|transaction))?\s+and\s+chain\b/i;

/** Watches the transaction that is open on one client. */
export class PgTransactionEnd {
  readonly #client: WatchedClient;
  /** Whether the transaction has ended. */
  isSeen = false;

  /** Whether the message has rolled back, perhaps to a savepoint only. */
  #hasRolledBack = false;

  readonly #onComplete: ConnectionEvents['commandComplete'] = ({ text }) => {
    if (text === 'ROLLBACK') {
      this.#hasRolledBack = true;
      if (CHAINS.test(this.#client._activeQuery?.text ?? '')) this.isSeen = true;
    } else if (ENDS.has(text) || (this.#hasRolledBack && BEGINS.has(text))) {
      this.isSeen = true;
    }
  };

  readonly #onNotice: ConnectionEvents['notice'] = ({ code }) => {
    if (code === OPEN_TRANSACTION) this.#hasRolledBack = false;
  };

  readonly #onReady: ConnectionEvents['readyForQuery'] = ({ status }) => {
    this.#hasRolledBack = false;
    if (status === 'I') this.isSeen = true;
  };

  /** Of a client of `pg-native` nothing is seen. */
  constructor(client: ClientBase) {
    this.#client = client as WatchedClient;
    const { connection } = this.#client;
    connection?.on('commandComplete', this.#onComplete);
    connection?.on('notice', this.#onNotice);
    connection?.on('readyForQuery', this.#onReady);
  }

  /** Ends the watch. */
  stop(): void {
    const { connection } = this.#client;
    connection?.off('commandComplete', this.#onComplete);
    connection?.off('notice', this.#onNotice);
    connection?.off('readyForQuery', this.#onReady);
  }
}
