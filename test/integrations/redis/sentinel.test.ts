/** The bus and the lock over a real Redis with a sentinel, whose replica takes over. */
import { createRequire } from 'node:module';
import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { describe, expect, test } from 'vitest';
import { type RedisClient, redisBus, redisLock } from '../../../src/integrations/redis.js';
import type { BusListener } from '../../../src/memoize/shared/index.js';
import { temporaryFolder } from '../../kit/temporary-folder.js';
import { until } from '../../kit/until.js';
import { RedisSentinels } from './redis-sentinels.js';
import { canStart } from './redis-server.js';

const PATIENCE = 60_000;

/** `createSentinel` of version 5 of `redis`, on which `@keyv/redis` depends. Its clients have no `duplicate`. */
const { createSentinel: createOldSentinel } = createRequire(import.meta.resolve('@keyv/redis'))(
  '@redis/client',
) as { createSentinel: typeof createSentinel };

type Kind = 'ioredis' | 'redis' | 'redis 5';

interface OwnClient extends AsyncDisposable {
  readonly client: RedisClient;
  ping(): Promise<unknown>;
}

async function clientOf(kind: Kind, { name, address }: RedisSentinels): Promise<OwnClient> {
  if (kind === 'ioredis') {
    const client = new Redis({ name, sentinels: [address], sentinelRetryStrategy: () => 20 });
    client.on('error', () => {});
    const close = async (): Promise<void> => client.disconnect();
    return { client, ping: () => client.ping(), [Symbol.asyncDispose]: close };
  }
  const create = kind === 'redis' ? createSentinel : createOldSentinel;
  const client = create({ name, sentinelRootNodes: [address] });
  client.on('error', () => {});
  await client.connect();
  return { client, ping: () => client.ping(), [Symbol.asyncDispose]: () => client.destroy() };
}

class Listener implements BusListener {
  readonly texts: string[] = [];
  isConnected = false;
  losses = 0;

  message(text: string): void {
    this.texts.push(text);
  }

  connected(state: boolean): void {
    this.isConnected = state;
    if (!state) this.losses++;
  }

  missed(): void {}

  error(): void {}
}

const folder = temporaryFolder();

describe.skipIf(!canStart).each<Kind>(['ioredis', 'redis', 'redis 5'])(
  'with a sentinel client of %s',
  (kind) => {
    test(
      'a bus notices that the primary has ended, and is connected again to the replica that takes over',
      async () => {
        await using sentinels = await RedisSentinels.start(folder);
        await using own = await clientOf(kind, sentinels);
        const bus = redisBus(own.client, { heartbeatMillis: 100 });
        const listener = new Listener();
        {
          using _subscription = bus.subscribe(listener);
          await until(() => listener.isConnected);
          await bus.publish('before');
          await until(() => listener.texts.includes('before'));
          await sentinels.primary.kill();
          await until(() => !listener.isConnected);
          await until(() => listener.isConnected, PATIENCE);
          await bus.publish('after');
          await until(() => listener.texts.includes('after'));
        }
        const received = listener.texts.length;
        await bus.publish('unheard');
        expect(await own.ping(), 'the client stays open').toBe('PONG');
        expect(listener.texts).toHaveLength(received);
      },
      PATIENCE,
    );

    test(
      'a bus whose primary was replaced and runs again hears the others, or counts as disconnected',
      async () => {
        await using sentinels = await RedisSentinels.start(folder);
        await using own = await clientOf(kind, sentinels);
        const listener = new Listener();
        using _own = redisBus(own.client, { heartbeatMillis: 100 }).subscribe(listener);
        await until(() => listener.isConnected);
        sentinels.primary.freeze();
        await until(() => !listener.isConnected);
        await sentinels.replaced();
        sentinels.primary.thaw(); // It counts itself as the primary until the sentinel makes it a replica.
        await until(() => listener.isConnected, PATIENCE);
        const { losses } = listener;
        await using other = await clientOf(kind, sentinels);
        const others = new Listener();
        const bus = redisBus(other.client, { heartbeatMillis: 100 });
        using _other = bus.subscribe(others);
        await until(() => others.isConnected, PATIENCE);
        await bus.publish('theirs');
        const isTold = () => listener.texts.includes('theirs') || listener.losses > losses;
        await until(isTold, 5_000); // Before the sentinel makes the old primary a replica, and breaks its connections.
      },
      2 * PATIENCE,
    );

    test(
      'a lock is taken and released',
      async () => {
        await using sentinels = await RedisSentinels.start(folder);
        await using own = await clientOf(kind, sentinels);
        const lock = redisLock(own.client);
        const ask = { ask: <T>(request: () => Promise<T>) => request() };
        const first = await lock.acquire('k', ask);
        await first.release();
        const second = await lock.acquire('k', ask);
        expect(second.fence).toBeGreaterThan(first.fence);
        await second.release();
      },
      PATIENCE,
    );
  },
);

test.skipIf(!canStart)(
  'a bus over a sentinel client of redis 5 is connected again when the program has closed and opened the client',
  async () => {
    await using sentinels = await RedisSentinels.start(folder);
    const client = createOldSentinel({
      name: sentinels.name,
      sentinelRootNodes: [sentinels.address],
    });
    client.on('error', () => {});
    await client.connect();
    const bus = redisBus(client, { heartbeatMillis: 100 });
    const listener = new Listener();
    using _subscription = bus.subscribe(listener);
    await until(() => listener.isConnected);
    await client.destroy(); // After `close` such a client cannot be connected again.
    await until(() => !listener.isConnected);
    await client.connect();
    await until(() => listener.isConnected);
    await bus.publish('text');
    await until(() => listener.texts.includes('text'));
    expect(listener.texts).toEqual(['text']);
    await client.destroy();
  },
  PATIENCE,
);
