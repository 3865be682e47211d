/**
 * LISTEN needs a connection of its own as long as it listens. A connection is detached, so its place in the pool is
 * free.
 */
import type pg from 'pg';
import type { ClientPool } from 'tenure/integrations/pg';

/**
 * Calls `heard` with each message of `channel`. Disposing of the result ends it. `ended` is called when the connection ends,
 * for whatever reason: listen again then, if you still want to.
 */
export async function listen(
  pool: ClientPool<pg.Client>,
  channel: string,
  heard: (message: string) => void,
  ended: () => void = () => {},
): Promise<AsyncDisposable> {
  const lease = await pool.lease();
  try {
    const client = lease.resource;
    client.on('notification', ({ payload = '' }) => heard(payload));
    client.on('end', ended);
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    lease.detach();
    return { [Symbol.asyncDispose]: () => client.end() };
  } catch (error) {
    await lease.destroy('could not listen');
    throw error;
  }
}
