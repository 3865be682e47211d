/** A pool of ioredis connections. */
import { Redis } from 'ioredis';
import { createPool, type Pool } from 'tenure/pool';

/** A pool for commands that need a connection of their own: `WATCH`, and reads that block. */
export function openIoredisPool(url: string): Pool<Redis> {
  const pool = createPool<Redis>(
    {
      async create({ signal }) {
        const client = new Redis(url, {
          lazyConnect: true,
          retryStrategy: () => null, // The pool replaces a connection that has ended.
          enableOfflineQueue: false,
          commandTimeout: 2_000,
        });
        client.on('error', () => {}); // Without a listener, ioredis prints each error.
        client.on('end', () => pool.evict((it) => it === client, 'broken'));
        signal.addEventListener('abort', () => client.disconnect());
        await client.connect();
        return client;
      },
      destroy: (client) => client.disconnect(),
      validate: async (client) => (await client.ping()) === 'PONG',
      reset: async (client) => void (await client.unwatch()),
      isBroken: (error, client) =>
        client.status !== 'ready' || (error as Error).message === 'Command timed out',
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
