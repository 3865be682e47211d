/** A real Redis with a replica and a sentinel for tests. The sentinel lets the replica take over from a server that has ended. */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../kit/until.js';
import { connect, RedisServer } from './redis-server.js';

/** A primary, its replica and their sentinel. */
export class RedisSentinels implements AsyncDisposable {
  /** The name of the primary at the sentinel. */
  readonly name = 'primary';
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly #sentinel: RedisServer;

  private constructor(primary: RedisServer, replica: RedisServer, sentinel: RedisServer) {
    this.primary = primary;
    this.replica = replica;
    this.#sentinel = sentinel;
  }

  /** Starts the servers, and waits until the sentinel knows the replica. `folder` gets what they write. */
  static async start(folder: string): Promise<RedisSentinels> {
    const own = await mkdtemp(join(folder, 'sentinel-'));
    const primary = await RedisServer.own(['--dir', own]);
    const source = ['--replicaof', '127.0.0.1', String(primary.port)];
    const replica = await RedisServer.own(['--dir', own, ...source]);
    const file = join(own, 'sentinel.conf');
    const settings = ['down-after-milliseconds primary 500', 'failover-timeout primary 3000'];
    const monitor = `monitor primary 127.0.0.1 ${primary.port} 1`;
    await writeFile(file, [monitor, ...settings].map((line) => `sentinel ${line}\n`).join(''));
    const sentinels = new RedisSentinels(primary, replica, await RedisServer.sentinel(file));
    await sentinels.#untilReplicaIsKnown();
    return sentinels;
  }

  /** Where clients find the sentinel. */
  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.#sentinel.port };
  }

  /** Waits until the sentinel names the replica as the primary. */
  async replaced(): Promise<void> {
    await using client = await connect(this.#sentinel.url);
    await until(async () => {
      const address = await client.sendCommand(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name]);
      return JSON.stringify(address).includes(`"${this.replica.port}"`);
    }, 30_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of [this.#sentinel, this.primary, this.replica]) await server.kill();
  }

  async #untilReplicaIsKnown(): Promise<void> {
    await using client = await connect(this.#sentinel.url);
    await until(async () => {
      const replicas = await client.sendCommand(['SENTINEL', 'REPLICAS', this.name]);
      return JSON.stringify(replicas).includes(`127.0.0.1:${this.replica.port}`);
    }, 30_000);
  }
}
