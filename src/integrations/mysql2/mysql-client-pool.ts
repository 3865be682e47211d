/**
 * A pool of bare connections of mysql2. Each connection has one holder at a time, and its session is as new after each loan.
 *
 * `mysql2` is loaded with the first connection, so that an application that only adopts a pool does not load it from here.
 */
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { createPool } from '../../pool/create-pool.js';
import type { Pool } from '../../pool/pool.js';
import type { PoolOptions } from '../../pool/pool-options.js';
import { mysqlErrors } from './mysql-errors.js';
import { MysqlSession } from './mysql-session.js';

/** Validation costs a round trip. A connection that was used this recently is taken for good, in milliseconds. */
const VALIDATE_AFTER_IDLE_MILLIS = 500;

/** Keepalive finds connections that a network has dropped, in milliseconds. */
const KEEPALIVE_MILLIS = 60_000;

/**
 * Makes a pool of bare connections of mysql2, with promises. After each loan the user logs in again on the same connection
 * (`changeUser`): an open transaction is rolled back; locks, temporary tables, variables, settings, prepared statements, the role, the
 * chosen database, and listeners on the connection are gone. A connection that cannot be reset is destroyed.
 *
 * A connection that breaks while it is idle is destroyed at once, one whose error shows that it is broken (`mysqlErrors`) at the end
 * of its loan. A server that takes no more connections makes
 * callers wait. A connection that was idle for more than 500 ms is pinged before it is lent.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 *
 * @example
 * ```ts
 * import { createClientPool } from 'tenure/integrations/mysql2';
 *
 * const pool = createClientPool({ host: '127.0.0.1', database: 'orders' }, { max: 4 });
 * pool.max; // => 4
 * await pool.close();
 * ```
 */
export function createClientPool(
  config: ConnectionOptions = {},
  options: PoolOptions = {},
): Pool<Connection> {
  const sessions = new WeakMap<Connection, MysqlSession>();
  const sessionOf = (connection: Connection): MysqlSession =>
    sessions.get(connection) as MysqlSession;
  const pool = createPool<Connection>(
    {
      ...mysqlErrors,
      async create({ signal }) {
        const { default: mysql } = await import('mysql2');
        signal.throwIfAborted();
        const session = new MysqlSession(mysql.createConnection(config), () =>
          pool.evict((each) => each === session.connection, 'broken'),
        );
        await session.open(signal);
        sessions.set(session.connection, session);
        return session.connection;
      },
      validate: (connection) => sessionOf(connection).isAlive(),
      reset: (connection) => sessionOf(connection).reset(),
      destroy: (connection) => sessionOf(connection).close(),
    },
    {
      testOnBorrow: true,
      validateAfterIdleMillis: VALIDATE_AFTER_IDLE_MILLIS,
      keepaliveMillis: KEEPALIVE_MILLIS,
      ...options,
    },
  );
  return pool;
}
