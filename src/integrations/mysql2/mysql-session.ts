/** The session of one connection of a pool: opened, checked, made as new after each loan, and closed. */
import type { ConnectionOptions, Connection as CoreConnection } from 'mysql2';
import type { Connection, RowDataPacket } from 'mysql2/promise';

/** How long a connection may take to end before it is cut, in milliseconds. */
const END_TIMEOUT_MILLIS = 1_000;

/** The settings of a connection that `changeUser` changes. */
const LOGIN = ['user', 'password', 'database', 'charsetNumber'];

type Listener = (...args: unknown[]) => void;

/** The session of one connection. */
export class MysqlSession {
  readonly connection: Connection;
  readonly #core: CoreConnection;
  /** What the connection logs in with. A holder may have changed it. */
  readonly #login: Partial<ConnectionOptions>;
  #restoring: readonly string[] = [];
  #isBroken = false;
  /** The listeners that the connection has before its first loan. */
  #ownListeners: ReadonlyMap<string | symbol, readonly unknown[]> = new Map();

  /** `onBroken` is called once, when the connection breaks while the pool may have it. */
  constructor(core: CoreConnection, onBroken: () => void) {
    this.#core = core;
    const config = core.config as unknown as Record<string, unknown>;
    this.#login = Object.fromEntries(LOGIN.map((name) => [name, config[name]]));
    const breaks = (): void => {
      if (this.#isBroken) return;
      this.#isBroken = true;
      onBroken();
    };
    core.on('error', breaks); // Without a listener, a connection that breaks while it is idle ends the process.
    core.on('end', breaks);
    this.connection = core.promise() as Connection;
  }

  /** Connects. Cuts the connection if the signal aborts first, or if it fails. */
  async open(signal: AbortSignal): Promise<void> {
    const core = this.#core;
    await new Promise<void>((resolve, reject) => {
      const cut = (): void => {
        this.#cut();
        reject(signal.reason);
      };
      signal.addEventListener('abort', cut, { once: true });
      core.connect((error) => {
        signal.removeEventListener('abort', cut);
        if (error === null || error === undefined) return resolve();
        this.#cut();
        reject(error);
      });
    });
    this.#ownListeners = this.#listeners();
    this.#restoring = await this.#statementsThatRestore();
  }

  /**
   * What `changeUser` does not restore: MariaDB keeps the role, and the mode that the client asked for in its handshake is lost.
   * MySQL before 8.0 has no roles.
   */
  async #statementsThatRestore(): Promise<readonly string[]> {
    const core = this.#core;
    const [[before]] = await this.connection.query<RowDataPacket[]>(
      'select @@sql_mode as mode, version() as version',
    );
    const restoring = [`set session sql_mode = ${core.escape(before?.['mode'])}`];
    if (String(before?.['version']).includes('MariaDB')) {
      const [[own]] = await this.connection.query<RowDataPacket[]>('select current_role() as role');
      const role = own?.['role'] as string | null;
      restoring.push(`set role ${role === null ? 'none' : core.escapeId(role)}`);
    }
    return restoring;
  }

  /** Whether the server answers. */
  async isAlive(): Promise<boolean> {
    if (this.#isBroken) return false;
    await this.connection.ping();
    return true;
  }

  /**
   * Makes the session as new, when all statements of the holder have run: the user logs in again on the same connection. The server
   * rolls back, unlocks, and forgets temporary tables, prepared statements, variables, the role and the chosen database. The cheaper
   * `connection.reset()` keeps the role and the database.
   */
  async reset(): Promise<void> {
    if (this.#isBroken) throw new Error('the connection broke during the loan');
    this.#removeListeners();
    Object.assign(this.#core.config, this.#login);
    await this.connection.changeUser({});
    await Promise.all(this.#restoring.map((statement) => this.connection.query(statement)));
  }

  /** Ends the connection, and cuts it if the server does not answer. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#cut(), END_TIMEOUT_MILLIS);
    try {
      if (!this.#isBroken) await this.connection.end();
    } finally {
      clearTimeout(timer);
      this.#cut();
    }
  }

  /** Ends the connection at once, also during a statement. */
  #cut(): void {
    this.#isBroken = true;
    this.#core.destroy();
  }

  #listeners(): Map<string | symbol, readonly unknown[]> {
    const core = this.#core;
    return new Map(core.eventNames().map((event) => [event, core.rawListeners(event)]));
  }

  /** Removes the listeners that the holder has added. */
  #removeListeners(): void {
    for (const [event, listeners] of this.#listeners()) {
      const own = this.#ownListeners.get(event) ?? [];
      for (const listener of listeners) {
        if (!own.includes(listener)) this.#core.off(event, listener as Listener);
      }
    }
  }
}
