/** A pool of node-redis connections. */
import { createClient } from 'redis';
import { createPool, type Pool } from 'tenure/pool';

/** A connection of node-redis. */
export type RedisConnection = ReturnType<typeof connectionTo>;

function connectionTo(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: 1_000, // `socketTimeout` ends an idle connection, too.
    socket: { reconnectStrategy: false, connectTimeout: 2_000, socketTimeout: 2_000 },
  });
}

/** A pool for commands that need a connection of their own: `WATCH`, and reads that block. */
export function openRedisPool(url: string): Pool<RedisConnection> {
  const pool = createPool<RedisConnection>(
    {
      async create({ signal }) {
        const client = connectionTo(url);
        // Without a listener, an error ends the process.
        client.on('error', () => pool.evict((it) => it === client, 'broken'));
        signal.addEventListener('abort', () => client.destroy());
        await client.connect();
        return client;
      },
      destroy: (client) => {
        if (client.isOpen) client.destroy();
      },
      validate: async (client) => (await client.ping()) === 'PONG',
      reset: async (client) => void (await client.unwatch()),
      isBroken: (_error, client) => !client.isReady,
    },
    {
      name: 'redis',
      max: 4,
      acquireTimeoutMillis: 5_000,
      createTimeoutMillis: 2_000,
      validateTimeoutMillis: 2_000,
      testOnBorrow: true,
      validateAfterIdleMillis: 500,
    },
  );
  return pool;
}
