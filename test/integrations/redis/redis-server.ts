/**
 * A real Redis for tests: that of `REDIS_URL`, or an own server from the redis-server on the PATH.
 * scripts/install-from-debian.sh installs one if it can. Without a server the tests are skipped with a message; with
 * CI=true they fail.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createClient } from 'redis';
import { freePort } from '../../../examples/service/free-port.js';
import { sayMissing } from '../../kit/say-missing.js';

/** Whether the tests can start own servers, which they can also stop. */
export const canStart: boolean = spawnSync('redis-server', ['--version']).status === 0;

/** Whether there is a Redis. */
export const canConnect: boolean = canStart || process.env['REDIS_URL'] !== undefined;

if (!canConnect) {
  sayMissing(
    'NO REDIS: set REDIS_URL, put redis-server on the PATH, or run scripts/install-from-debian.sh redis-server. ' +
      'Caches that processes share are NOT TESTED.',
  );
}

/** A Redis server: that of `REDIS_URL`, or an own one. */
export class RedisServer implements AsyncDisposable {
  readonly url: string;
  /** The port of an own server; 0 for that of `REDIS_URL`. */
  readonly port: number;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined = undefined;

  private constructor(url: string, port: number, args: readonly string[] = []) {
    this.url = url;
    this.port = port;
    this.#args = args;
  }

  /** The server of `REDIS_URL`, or a new own one. */
  static async any(): Promise<RedisServer> {
    const url = process.env['REDIS_URL'];
    return url === undefined ? RedisServer.own() : new RedisServer(url, 0);
  }

  /** A new own server. `args` are options of redis-server. */
  static async own(args: readonly string[] = []): Promise<RedisServer> {
    const port = await freePort();
    const server = new RedisServer(`redis://127.0.0.1:${port}`, port, args);
    await server.start();
    return server;
  }

  /** A new sentinel. It writes what it learns to its file. */
  static async sentinel(file: string): Promise<RedisServer> {
    const port = await freePort();
    const args = [file, '--sentinel', '--port', String(port), '--bind', '127.0.0.1'];
    const sentinel = new RedisServer(`redis://127.0.0.1:${port}`, port);
    await sentinel.#spawn(args, '+monitor');
    return sentinel;
  }

  async start(): Promise<void> {
    const args = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      ...this.#args,
    ];
    await this.#spawn(args, 'Ready to accept connections');
  }

  /** Starts the process, and waits for a text in its output. */
  async #spawn(args: readonly string[], ready: string): Promise<void> {
    const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    let output = '';
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.includes(ready)) return;
    }
    throw new Error(`redis-server has not started:\n${output}`);
  }

  /** Stops the server where it is. Its connections stay open. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends the server without a shutdown, as a power failure does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** A connected client. Disposing of it closes it. */
export async function connect(url: string) {
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  return Object.assign(client, {
    [Symbol.asyncDispose]: async () => {
      if (client.isOpen) client.destroy();
    },
  });
}
