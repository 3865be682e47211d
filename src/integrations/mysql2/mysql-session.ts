/** The session of one connection of a pool: opened, checked, made as new after each loan, and closed. */

import type { Connection as CoreConnection } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { ConnectionHealth } from '../client/connection-health.js';
import { endOrCut } from '../client/end-or-cut.js';
import { InitialListeners } from '../client/initial-listeners.js';
import { InitialProperties } from '../client/initial-properties.js';
import type { ClientSession } from '../client/session-pool.js';

/** System variables of a session, by name. */
export type SessionVariables = Readonly<Record<string, string | number | boolean>>;

/** Rows as objects with the server's values, whatever form the configuration gives to the rows of holders. */
const PLAIN_ROWS = { rowsAsArray: false, nestTables: false, typeCast: true };

/**
 * Properties of a connection that mysql2 changes with each statement, and when the user logs in again. `addCommand` refuses statements once
 * the holder has ended the connection: without that, they would never be answered.
 */
const STATE: ReadonlySet<string> = new Set([
  'addCommand',
  'clientEncoding',
  'compressedSequenceId',
  'sequenceId',
]);

/** The session of one connection. */
export class MysqlSession implements ClientSession<Connection> {
  readonly client: Connection;
  readonly #core: CoreConnection;
  readonly #health: ConnectionHealth;
  readonly #variables: SessionVariables;
  #restoring: readonly string[] = [];
  /** What the connection had before its first loan. */
  #initial: readonly { restore(): void }[] = [];
  #initialConfig: InitialProperties | undefined = undefined;

  /** `onBroken` is called once, with the reason, when the connection breaks while the pool may have it. */
  constructor(
    core: CoreConnection,
    variables: SessionVariables,
    onBroken: (reason: Error) => void,
  ) {
    this.#core = core;
    this.#variables = variables;
    this.#health = new ConnectionHealth(core, onBroken);
    this.client = core.promise() as Connection;
  }

  async open(): Promise<void> {
    const core = this.#core;
    await new Promise<void>((resolve, reject) => {
      core.connect((error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    });
    this.#initial = [
      // The wrapper comes first: its listeners have one on the connection each time that they are the first of their event.
      new InitialListeners(this.client),
      new InitialListeners(core),
      new InitialProperties(this.client),
      new InitialProperties(core, STATE),
    ];
    this.#initialConfig = new InitialProperties(core.config);
    const setting = this.#statementsThatSet();
    const restoring = await this.#statementsThatRestore();
    await this.#runAll(setting);
    this.#restoring = [...restoring, ...setting];
  }

  #statementsThatSet(): readonly string[] {
    const settings = Object.entries(this.#variables).map(
      ([name, value]) => `session ${name} = ${this.#core.escape(value)}`,
    );
    return settings.length === 0 ? [] : [`set ${settings.join(', ')}`];
  }

  async #runAll(statements: readonly string[]): Promise<void> {
    await Promise.all(statements.map((statement) => this.client.query(statement)));
  }

  /**
   * What `changeUser` does not restore: MariaDB keeps the role, and the mode that the client asked for in its handshake is lost.
   * MySQL before 8.0 has no roles.
   */
  async #statementsThatRestore(): Promise<readonly string[]> {
    const core = this.#core;
    const before = await this.#firstRow('select @@sql_mode as mode, version() as version');
    const restoring = [`set session sql_mode = ${core.escape(before?.['mode'])}`];
    if (String(before?.['version']).includes('MariaDB')) {
      const own = await this.#firstRow('select current_role() as role');
      const role = own?.['role'] as string | null;
      restoring.push(`set role ${role === null ? 'none' : core.escapeId(role)}`);
    }
    return restoring;
  }

  async #firstRow(sql: string): Promise<RowDataPacket | undefined> {
    const [[row]] = await this.client.query<RowDataPacket[]>({ sql, ...PLAIN_ROWS });
    return row;
  }

  async isAlive(): Promise<boolean> {
    if (this.#health.isBroken) return false;
    await this.client.ping();
    return true;
  }

  /**
   * Makes the session as new, when all statements of the holder have run: the user logs in again on the same connection. The server
   * rolls back, unlocks, and forgets temporary tables, prepared statements, variables, the role and the chosen database. The cheaper
   * `connection.reset()` keeps the role and the database.
   */
  async reset(): Promise<void> {
    if (this.#health.isBroken) throw new Error('the connection broke during the loan');
    for (const part of this.#initial) part.restore(); // The holder may have replaced methods.
    this.#initialConfig?.restore(); // It has the settings of the log-in.
    await this.client.changeUser({});
    await this.#runAll(this.#restoring);
    this.#initialConfig?.restore(); // A log-in of the holder that it did not await has changed it when it ended.
  }

  close(): Promise<void> {
    return endOrCut(
      () => (this.#health.isBroken ? undefined : this.client.end()),
      () => this.cut(),
    );
  }

  /** mysql2 only ends its side of the connection: a server that has more rows than are read would wait to send them. */
  cut(): void {
    this.#health.isBroken = true;
    this.#core.destroy();
    (this.#core as unknown as { readonly stream: { destroy(): void } }).stream.destroy();
  }
}
