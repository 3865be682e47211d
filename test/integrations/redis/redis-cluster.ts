/** A real Redis Cluster for tests: three servers with a third of the slots each, and no replicas. It needs Redis 7. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../examples/service/free-port.js';
import { until } from '../../kit/until.js';
import { connect, RedisServer } from './redis-server.js';

const SLOTS = 16_384;
const SHARDS = 3;

/** One server of a cluster, and the port at which the others reach it. */
interface Shard {
  readonly server: RedisServer;
  readonly busPort: number;
}

/** A slot that moves to another shard. */
interface SlotMove {
  /** The names in the slot. */
  readonly names: readonly string[];
  move(name: string): Promise<unknown>;
  end(): Promise<void>;
}

/** The servers of one cluster. */
export class RedisCluster implements AsyncDisposable {
  readonly #folder: string;
  readonly #shards: readonly Shard[];

  private constructor(folder: string, shards: readonly Shard[]) {
    this.#folder = folder;
    this.#shards = shards;
  }

  /** Starts the servers, and waits until each knows the slots of all. */
  static async start(): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-cluster-'));
    const shards = await Promise.all(
      Array.from({ length: SHARDS }, (_, at) => startShard(join(folder, `nodes-${at}.conf`))),
    );
    const cluster = new RedisCluster(folder, shards);
    try {
      await cluster.#join();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  get servers(): readonly RedisServer[] {
    return this.#shards.map(({ server }) => server);
  }

  /** The names that each server has, in the order of {@link servers}. */
  async names(): Promise<string[][]> {
    const lists = await Promise.all(this.servers.map((server) => send(server, 'KEYS', '*')));
    return lists as string[][];
  }

  /** Begins to move a slot to another shard. Its names stay where they are until they are moved. */
  async beginMove(slot: number): Promise<SlotMove> {
    const at = Math.floor((slot * SHARDS) / SLOTS);
    const [from, to] = [this.servers[at], this.servers[(at + 1) % SHARDS]] as [
      RedisServer,
      RedisServer,
    ];
    const [fromId, toId] = await Promise.all(
      [from, to].map((each) => send(each, 'CLUSTER', 'MYID')),
    );
    await send(to, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', String(fromId));
    await send(from, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', String(toId));
    const names = await send(from, 'CLUSTER', 'GETKEYSINSLOT', String(slot), '100');
    return {
      names: names as string[],
      move: (name) => send(from, 'MIGRATE', '127.0.0.1', String(to.port), name, '0', '5000'),
      end: async () => {
        for (const server of [to, from]) {
          await send(server, 'CLUSTER', 'SETSLOT', String(slot), 'NODE', String(toId));
        }
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #join(): Promise<void> {
    const bound = (share: number): number => Math.floor((share * SLOTS) / SHARDS);
    for (const [at, { server }] of this.#shards.entries()) {
      const slots = Array.from({ length: bound(at + 1) - bound(at) }, (_, i) => bound(at) + i);
      await send(server, 'CLUSTER', 'ADDSLOTS', ...slots.map(String));
      await send(server, 'CLUSTER', 'SET-CONFIG-EPOCH', String(at + 1));
    }
    const [first, ...others] = this.#shards;
    for (const { server, busPort } of others) {
      const [port, bus] = [server.port, busPort].map(String) as [string, string];
      await send((first as Shard).server, 'CLUSTER', 'MEET', '127.0.0.1', port, bus);
    }
    await until(async () => {
      const states = await Promise.all(this.servers.map((each) => send(each, 'CLUSTER', 'INFO')));
      const signs = ['cluster_state:ok', `cluster_slots_ok:${SLOTS}`];
      return states.every((state) => signs.every((sign) => String(state).includes(sign)));
    });
  }
}

async function startShard(file: string): Promise<Shard> {
  const busPort = await freePort();
  const server = await RedisServer.own([
    ...['--cluster-enabled', 'yes', '--cluster-config-file', file],
    ...['--cluster-port', String(busPort), '--cluster-require-full-coverage', 'no'],
  ]);
  return { server, busPort };
}

async function send(server: RedisServer, ...command: string[]): Promise<unknown> {
  await using client = await connect(server.url);
  return await client.sendCommand(command); // Before the client is closed.
}
