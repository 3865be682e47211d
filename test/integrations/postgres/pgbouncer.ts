/**
 * A real PgBouncer for tests. scripts/install-from-debian.sh installs one if it can. Without it the tests are
 * skipped with a message; with CI=true they fail.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../examples/service/free-port.js';
import { sayMissing } from '../../kit/say-missing.js';

/** The folder of servers on Debian, which is only on the PATH of root. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

/** Whether PgBouncer can be started. */
export const canStartPgBouncer: boolean =
  spawnSync('pgbouncer', ['--version'], { env }).status === 0;

if (!canStartPgBouncer) {
  sayMissing(
    'NO PGBOUNCER: put pgbouncer on the PATH, or run scripts/install-from-debian.sh pgbouncer. ' +
      'Pools behind PgBouncer are NOT TESTED.',
  );
}

/** PgBouncer refuses to run as root, so for root it runs as `nobody`. */
const OWNER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** A PgBouncer with a few connections to one Postgres. */
export class PgBouncer implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#child = child;
  }

  /** Starts a PgBouncer with this many connections to the Postgres at `serverPort`. */
  static async to(
    serverPort: number,
    connections: number,
    mode: 'transaction' | 'session' = 'transaction',
  ): Promise<PgBouncer> {
    const folder = mkdtempSync(join(tmpdir(), 'tenure-pgbouncer-'));
    chmodSync(folder, 0o755);
    const port = await freePort();
    const settings = join(folder, 'pgbouncer.ini');
    writeFileSync(
      settings,
      `[databases]
* = host=127.0.0.1 port=${serverPort} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${connections}
`,
    );
    const child = spawn('pgbouncer', [settings], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...OWNER,
    });
    const bouncer = new PgBouncer(port, folder, child);
    await bouncer.#isReady();
    return bouncer;
  }

  async #isReady(): Promise<void> {
    let said = '';
    for await (const chunk of this.#child.stderr ?? []) {
      said += chunk;
      if (said.includes('process up')) {
        this.#child.stderr?.on('data', () => {});
        return;
      }
    }
    throw new Error(`pgbouncer did not start:\n${said}`);
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
