/** A pool of bare connections of mysql2. Each connection has one holder at a time, and its session is as new after each loan. */
import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { givenOptions, type OptionCheck, type OptionTable, optional } from '../../core/options.js';
import type { Pool } from '../../pool/pool.js';
import { POOL_OPTIONS, type PoolOptions } from '../../pool/pool-options.js';
import { expectDriverConfig, refuseLimit } from '../client/driver-config.js';
import { createSessionPool } from '../client/session-pool.js';
import { isAway, mysqlErrors } from './mysql-errors.js';
import { MysqlSession, type SessionVariables } from './mysql-session.js';

/** Options of `createClientPool`, besides those of `createPool`. */
export interface ClientPoolOptions extends PoolOptions {
  /**
   * System variables that each session has, by name, such as `{ time_zone: '+00:00' }`. Each holder finds them, whatever the one before has
   * set. The server's values hold for all others.
   * @default none
   */
  readonly sessionVariables?: SessionVariables;
}

const someVariables: OptionCheck = (value) =>
  typeof value === 'object' && value !== null && Object.entries(value).every(isVariable)
    ? undefined
    : "an object of names and values, such as { time_zone: '+00:00' }";

function isVariable([name, value]: [string, unknown]): boolean {
  const isValue = Number.isFinite(value) || typeof value === 'string' || typeof value === 'boolean';
  return /^\w+$/.test(name) && isValue;
}

const CLIENT_POOL_OPTIONS: OptionTable<ClientPoolOptions> = {
  ...POOL_OPTIONS,
  sessionVariables: optional(someVariables),
};

/**
 * Makes a pool of bare connections of mysql2, with promises. After each loan the user logs in again on the same connection
 * (`changeUser`): an open transaction is rolled back; locks, temporary tables, variables, settings, prepared statements, the role, the
 * chosen database, listeners, and changed settings, methods and own properties of the connection are gone. Settings that each holder
 * needs are an option: `sessionVariables`. A connection that cannot be reset is destroyed.
 *
 * A connection that breaks while it is idle is destroyed at once, one whose error shows that it is broken (`mysqlErrors`) at the end of
 * its loan. A server that takes no more connections makes callers wait. So does one that is away, once the pool has had a connection to
 * it: it restarts, or another one takes its place. With `createAttempts`, it rejects them after as many failures in a row. A connection
 * is pinged before it is lent after 500 ms without use (`testOnBorrow`, `validateAfterIdleMillis`), and each minute (`keepaliveMillis`).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed, and for a `config`
 * that is no object with settings: a URL, an array, a Map or a pool. Also for a `connectionLimit` in `config` alone, where a pool of mysql2 has
 * it.
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
  options: ClientPoolOptions = {},
): Pool<Connection> {
  if (typeof config !== 'string')
    expectDriverConfig(config, 'Give a connection string as `{ uri }`.'); // mysql2 takes a string, too.
  const { sessionVariables = {}, ...poolOptions } = givenOptions<ClientPoolOptions>(
    'createClientPool',
    options,
    CLIENT_POOL_OPTIONS,
  );
  if (typeof config !== 'string') refuseLimit(config, 'connectionLimit', poolOptions.max);
  return createSessionPool(
    {
      errors: mysqlErrors,
      isAway,
      load: async () => (await import('mysql2')).default,
      makeSession: (mysql, onBroken) =>
        new MysqlSession(mysql.createConnection(config), sessionVariables, onBroken),
    },
    poolOptions,
  );
}
