/** The session of one client of a pool: opened, checked, made as new after each loan, and closed. */
import type { Client } from 'pg';
import { ConnectionHealth } from '../client/connection-health.js';
import { endOrCut } from '../client/end-or-cut.js';
import { InitialListeners } from '../client/initial-listeners.js';
import { InitialProperties } from '../client/initial-properties.js';
import { ignoreErrorsLeftOpenOnPg } from '../client/left-open.js';
import type { ClientSession } from '../client/session-pool.js';

/** What is between a client and its server. */
export type Pooler = 'none' | 'transaction';

/** How sessions are reset. */
export interface SessionSettings {
  readonly pooler: Pooler;
  readonly keepPreparedStatements: boolean;
}

/** What `discard all` does, and `reset role`, in one message. `discard all` itself cannot run in a message with other statements. */
const RESET_SESSION = [
  'close all',
  'set session authorization default',
  'reset role',
  'reset all',
  'unlisten *',
  'select pg_catalog.pg_advisory_unlock_all()',
  'discard temp',
  'discard sequences',
].join('; ');

const RESET_PREPARED = `; deallocate all; discard plans`;

/** Status of a session outside of a transaction, as the server tells it with each `ReadyForQuery`. */
const IDLE = 'I';

/** SQLSTATE in_failed_sql_transaction. */
const IN_FAILED_TRANSACTION = '25P02';

/** Properties of a client that pg changes with each statement. */
const STATE: ReadonlySet<string> = new Set([
  'activeQuery',
  'hasExecuted',
  'queryQueue',
  'readyForQuery',
]);

/** What pg's types do not declare. */
interface ClientInternals {
  readonly connectionParameters: { query_timeout: unknown };
  /** The parsers of this client, by type: what `client.setTypeParser` adds to. */
  readonly _types: { readonly text: object; readonly binary: object };
  readonly connection: {
    readonly stream: { destroy(): void };
    /** The texts of prepared statements, by name. */
    parsedStatements?: Record<string, string>;
    submittedNamedStatements?: Record<string, string>;
    on(event: 'readyForQuery', listener: (message: { readonly status: string }) => void): unknown;
  };
}

/** The session of one client. */
export class PgSession implements ClientSession<Client> {
  readonly client: Client;
  readonly #settings: SessionSettings;
  readonly #health: ConnectionHealth;
  #status = IDLE;
  /** What the client had before its first loan. */
  #initial: readonly { restore(): void }[] = [];
  /** Of its configuration, an open client uses this alone. */
  #queryTimeout: unknown = undefined;
  #initialParsers: readonly InitialProperties[] = [];

  /** `onBroken` is called once, with the reason, when the connection breaks while the pool may have it. */
  constructor(client: Client, settings: SessionSettings, onBroken: (reason: Error) => void) {
    this.client = client;
    this.#settings = settings;
    this.#health = new ConnectionHealth(client, onBroken);
    this.#internals.connection.on('readyForQuery', ({ status }) => {
      this.#status = status;
    });
  }

  async open(): Promise<void> {
    await this.client.connect();
    await this.client.query('select 1'); // A pooler accepts a client although its server does not answer.
    const { connectionParameters, _types } = this.#internals;
    this.#initial = [new InitialListeners(this.client), new InitialProperties(this.client, STATE)];
    this.#queryTimeout = connectionParameters.query_timeout;
    this.#initialParsers = [
      new InitialProperties(_types),
      new InitialProperties(_types.text),
      new InitialProperties(_types.binary),
    ];
  }

  async isAlive(): Promise<boolean> {
    if (this.#health.isBroken) return false;
    await this.client.query('select 1');
    return true;
  }

  /**
   * Makes the session as new. The status is known for certain only when all statements of the holder have run, also those that it did
   * not await or that have just failed. So a transaction may turn out to be open after the first attempt; it is rolled back then.
   */
  async reset(): Promise<void> {
    this.#expectWhole();
    for (const part of this.#initial) part.restore(); // The holder may have replaced `query`.
    this.#internals.connectionParameters.query_timeout = this.#queryTimeout;
    if (this.#status !== IDLE || !(await this.#isResetOutsideOfTransaction())) {
      await this.client.query('rollback');
      if (!(await this.#isResetOutsideOfTransaction())) {
        throw new Error(
          'a holder still uses the connection: a transaction is open after a rollback',
        );
      }
    }
    this.#expectWhole();
    for (const parsers of this.#initialParsers) parsers.restore(); // The last statements of the holder have used its own.
    if (!this.#settings.keepPreparedStatements) this.#forgetPrepared();
  }

  async #isResetOutsideOfTransaction(): Promise<boolean> {
    try {
      await this.client.query(this.#resetQuery);
      return this.#status === IDLE;
    } catch (error) {
      if ((error as { readonly code?: unknown }).code === IN_FAILED_TRANSACTION) return false;
      throw error;
    }
  }

  close(): Promise<void> {
    ignoreErrorsLeftOpenOnPg(this.client);
    return endOrCut(
      () => this.client.end(),
      () => this.cut(),
    );
  }

  cut(): void {
    this.#health.isBroken = true;
    this.#internals.connection.stream.destroy();
  }

  get #internals(): ClientInternals {
    return this.client as unknown as ClientInternals;
  }

  /** Through a pooler in transaction mode, a session has nothing that a holder may have changed, but for an open transaction. */
  get #resetQuery(): string {
    const { pooler, keepPreparedStatements } = this.#settings;
    if (pooler === 'transaction') return 'select 1';
    return keepPreparedStatements ? RESET_SESSION : RESET_SESSION + RESET_PREPARED;
  }

  #expectWhole(): void {
    if (this.#health.isBroken) throw new Error('the connection broke during the loan');
  }

  #forgetPrepared(): void {
    const { connection } = this.#internals;
    if (connection.parsedStatements !== undefined) connection.parsedStatements = {};
    if (connection.submittedNamedStatements !== undefined) connection.submittedNamedStatements = {};
  }
}
