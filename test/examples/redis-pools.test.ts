/** The examples of pools of Redis connections, on a real server that fails. */
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { openIoredisPool } from '../../examples/clients/ioredis-pool.js';
import { openRedisPool, type RedisConnection } from '../../examples/clients/redis-pool.js';
import type { Pool } from '../../src/pool/index.js';
import { canStart, connect, RedisServer } from '../integrations/redis/redis-server.js';
import { until } from '../kit/until.js';

interface Client {
  ping(): Promise<unknown>;
  watch(key: string): Promise<unknown>;
  /** Sets a key in a transaction; `null` if a key that this connection watches has changed. */
  setInTransaction(key: string, value: string): Promise<unknown>;
}

const ofIoredis = (client: Redis): Client => ({
  ping: () => client.ping(),
  watch: (key) => client.watch(key),
  setInTransaction: (key, value) => client.multi().set(key, value).exec(),
});

const ofRedis = (client: RedisConnection): Client => ({
  ping: () => client.ping(),
  watch: (key) => client.watch(key),
  setInTransaction: async (key, value) => {
    const { WatchError } = await import('redis');
    const done = client.multi().set(key, value).exec();
    return done.catch((error) => (error instanceof WatchError ? null : Promise.reject(error)));
  },
});

interface ClientPool extends AsyncDisposable, Pick<Pool<object>, 'stats' | 'close'> {
  use<T>(work: (client: Client) => Promise<T>): Promise<T>;
}

function clientPool<R extends object>(
  pool: Pool<R>,
  clientOf: (resource: R) => Client,
): ClientPool {
  return {
    stats: () => pool.stats(),
    close: (options) => pool.close(options),
    use: (work) => pool.use((resource) => work(clientOf(resource))),
    [Symbol.asyncDispose]: () => pool.close({ graceMillis: 0, force: true }),
  };
}

describe.skipIf(!canStart).each([
  ['ioredis', (url: string) => clientPool(openIoredisPool(url), ofIoredis)],
  ['node-redis', (url: string) => clientPool(openRedisPool(url), ofRedis)],
])('a pool of %s connections, on a real Redis', (_name, open) => {
  const ping = (client: Client) => client.ping();

  test('what a holder watches does not fail the transaction of the next one', async () => {
    await using server = await RedisServer.own();
    await using t = open(server.url);
    await using other = await connect(server.url);
    await t.use((client) => client.watch('stock'));
    await other.set('stock', '1');
    expect(await t.use((client) => client.setInTransaction('stock', '2'))).not.toBeNull();
    expect(t.stats()).toMatchObject({ created: 1, borrowed: 0 });
  });

  test('a server that refuses rejects its caller, and serves the next one when it is back', async () => {
    await using server = await RedisServer.own();
    await server.kill();
    await using t = open(server.url);
    await expect(t.use(ping)).rejects.toMatchObject({ code: 'TENURE_POOL_CREATE' });
    await server.start();
    expect(await t.use(ping)).toBe('PONG');
  });

  test('connections that were killed while they were idle or lent are replaced', async () => {
    await using server = await RedisServer.own();
    await using t = open(server.url);
    await t.use(ping);
    await server.kill();
    await server.start();
    expect(await t.use(ping)).toBe('PONG');
    const lent = t.use(async (client) => {
      await server.kill();
      await client.ping();
    });
    await expect(lent).rejects.toThrow();
    await server.start();
    expect(await t.use(ping)).toBe('PONG');
    expect(t.stats()).toMatchObject({ size: 1, borrowed: 0 });
  });

  test('a server that hangs fails the command of a holder, and its connection is replaced', async () => {
    await using server = await RedisServer.own();
    await using t = open(server.url);
    const held = t.use(async (client) => {
      server.freeze();
      await client.ping();
    });
    await expect(held).rejects.toThrow();
    await until(() => t.stats().size === 0);
    server.thaw();
    expect(await t.use(ping)).toBe('PONG');
  });

  test('close ends all connections', async () => {
    await using server = await RedisServer.own();
    const t = open(server.url);
    await Promise.all([t.use(ping), t.use(ping), t.use(ping)]);
    await t.close();
    await using other = await connect(server.url);
    await until(async () =>
      /^id=\d+ [^\n]*\n?$/.test(String(await other.sendCommand(['CLIENT', 'LIST']))),
    );
  });
});
