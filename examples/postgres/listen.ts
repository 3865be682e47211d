/**
 * LISTEN needs a connection of its own as long as it listens. A connection is detached, so its place in the pool is
 * free.
 */
import type { Pool } from 'tenure/pool';
import type { PooledClient } from './client-pool.js';

/** Calls `heard` with each message of `channel`. Disposing of the result ends it. */
export async function listen(
  pool: Pool<PooledClient>,
  channel: string,
  heard: (message: string) => void,
): Promise<AsyncDisposable> {
  const lease = await pool.lease();
  try {
    const client = lease.resource;
    client.on('notification', ({ payload = '' }) => heard(payload));
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    lease.detach();
    return { [Symbol.asyncDispose]: () => client.end() };
  } catch (error) {
    await lease.destroy('could not listen');
    throw error;
  }
}
