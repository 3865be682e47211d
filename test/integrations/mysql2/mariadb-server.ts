/**
 * A real MariaDB for tests: an own server from the mariadbd on the PATH. scripts/install-from-debian.sh installs one if
 * it can. Without a server the tests are skipped with a message; with CI=true they fail.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import mysql from 'mysql2/promise';
import { freePort } from '../../../examples/service/free-port.js';
import { sayMissing } from '../../kit/say-missing.js';

/** The folder of servers on Debian, which is only on the PATH of root. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

/** Whether servers can be started. */
export const canStart: boolean = spawnSync('mariadbd', ['--version'], { env }).status === 0;

if (!canStart) {
  sayMissing(
    'NO MARIADB: put mariadbd on the PATH, or run scripts/install-from-debian.sh mariadbd=mariadb-server. ' +
      'The adoption of mysql2’s pool is NOT TESTED.',
  );
}

/** A server with an empty database. It can be killed and started again. */
export class MariadbServer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #settings: readonly string[];
  #child: ChildProcess | undefined = undefined;

  private constructor(port: number, folder: string, settings: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#settings = settings;
  }

  /** Starts a server. `settings` are flags of `mariadbd`. */
  static async start(settings: readonly string[] = []): Promise<MariadbServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-mariadb-'));
    const server = new MariadbServer(await freePort(), folder, settings);
    const install = [
      ...server.#flags,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ];
    await promisify(execFile)('mariadb-install-db', install, { env });
    await server.start();
    return server;
  }

  /** Starts the server. Settles when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn(
      'mariadbd',
      [
        ...this.#flags,
        ...this.#settings,
        `--port=${this.port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(this.#folder, 'socket')}`,
        `--pid-file=${join(this.#folder, 'pid')}`,
        '--skip-name-resolve',
      ],
      { env, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child = child;
    await isReady(child);
  }

  /** Ends the server without a shutdown, as a power failure does. */
  async crash(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Kills a connection. */
  async kill(threadId: number): Promise<void> {
    await this.#ask(`kill ${threadId}`);
  }

  /** Kills all connections, and gives how many there were. */
  async endConnections(): Promise<number> {
    const ids = await this.#ask(
      "select id from information_schema.processlist where user = 'root' and id <> connection_id()",
    );
    for (const { id } of ids) await this.kill(id).catch(() => {}); // It may have ended by itself.
    return ids.length;
  }

  /** How many connections there are. */
  async connections(): Promise<number> {
    return (await this.#statements()).length;
  }

  /** Whether a connection is running this statement. */
  async isRunning(statement: string): Promise<boolean> {
    return (await this.#statements()).includes(statement);
  }

  /** The statement of each connection, except the connection that asks. */
  async #statements(): Promise<unknown[]> {
    const rows = await this.#ask(
      "select info from information_schema.processlist where user = 'root' and id <> connection_id()",
    );
    return rows.map(({ info }) => info);
  }

  async #ask(statement: string): Promise<mysql.RowDataPacket[]> {
    const own = await mysql.createConnection({ host: '127.0.0.1', port: this.port, user: 'root' });
    try {
      const [rows] = await own.query<mysql.RowDataPacket[]>(statement);
      return rows;
    } finally {
      await own.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.crash();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #flags(): string[] {
    return [
      '--no-defaults',
      `--datadir=${join(this.#folder, 'data')}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
    ];
  }
}

async function isReady(child: ChildProcess): Promise<void> {
  let said = '';
  for await (const chunk of child.stderr ?? []) {
    said += String(chunk);
    if (said.includes('ready for connections')) return;
  }
  throw new Error(`mariadbd did not start:\n${said}`);
}
