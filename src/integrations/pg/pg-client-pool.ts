/** A pool of bare clients of pg. Each client has one holder at a time, and its session is as new after each loan. */
import type { Client, ClientConfig } from 'pg';
import { InvalidArgumentError } from '../../core/errors.js';
import { aBoolean, givenOptions, type OptionTable, oneOf, option } from '../../core/options.js';
import type { Pool } from '../../pool/pool.js';
import { POOL_OPTIONS, type PoolOptions } from '../../pool/pool-options.js';
import { expectDriverConfig, refuseLimit } from '../client/driver-config.js';
import { createSessionPool } from '../client/session-pool.js';
import { isAway, pgErrors } from './pg-errors.js';
import { PgSession, type Pooler } from './pg-session.js';

/** Options of `createClientPool`, besides those of `createPool`. */
export interface ClientPoolOptions extends PoolOptions {
  /**
   * What is between the pool and the server. Through `'transaction'`, PgBouncer in transaction mode, no client owns a session:
   * the pool sends no startup parameters that PgBouncer refuses, and does not reset sessions. Use `SET LOCAL` in transactions, and
   * neither `SET`, `LISTEN`, temporary tables nor session-level locks.
   * @default 'none'
   */
  readonly pooler?: Pooler;
  /**
   * Keeps the prepared statements of a holder for the next one. It saves their preparation, and a name that is used again for
   * another text fails.
   * @default false
   */
  readonly keepPreparedStatements?: boolean;
}

const CLIENT_POOL_OPTIONS: OptionTable<ClientPoolOptions> = {
  ...POOL_OPTIONS,
  pooler: option<Pooler>(oneOf('none', 'transaction'), 'none'),
  keepPreparedStatements: option(aBoolean, false),
};

type Timeout = 'statement_timeout' | 'query_timeout';

/** How long a client waits for the answer to a statement, in milliseconds, if the server does not answer at all. */
const QUERY_TIMEOUT = 12_000;

/** The limits of a statement, in milliseconds. The server applies `statement_timeout`; PgBouncer refuses it. */
const TIMEOUTS: Readonly<Record<Pooler, Readonly<Partial<Record<Timeout, number>>>>> = {
  none: { statement_timeout: 10_000, query_timeout: QUERY_TIMEOUT },
  transaction: { query_timeout: QUERY_TIMEOUT },
};

/**
 * Makes a pool of bare clients of pg. After each loan a transaction that was left open is rolled back, and the session is reset in
 * one round trip: role, session authorization, settings, temporary tables, sequences' current values, cursors, `LISTEN`, advisory
 * locks, prepared statements, and the client's listeners, type parsers, settings, replaced methods and own properties. A client that cannot
 * be reset is destroyed.
 *
 * A client that breaks while it is idle is destroyed at once, one whose error shows that it is broken (`pgErrors`) at the end of its
 * loan. A server that takes no more connections makes callers wait. So does one that is away, once the pool has had a connection to it:
 * it restarts, or another one takes its place. With `createAttempts`, it rejects them after as many failures in a row. A client is asked
 * `select 1` before it is lent after 500 ms without use (`testOnBorrow`, `validateAfterIdleMillis`), and each minute (`keepaliveMillis`).
 *
 * Defaults of `config`: `statement_timeout` 10 s, `query_timeout` 12 s; `false` switches one off. `config` is read for each connection,
 * so a password that has changed there is that of the next one.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed, and for a `config`
 * that is no object with settings: a connection string, a URL, an array, a Map or a pool. Also for a `max` in `config` alone, where `pg.Pool`
 * has it.
 *
 * @example
 * ```ts
 * import { createClientPool } from 'tenure/integrations/pg';
 *
 * const pool = createClientPool({ host: '127.0.0.1', database: 'orders' }, { max: 4 });
 * pool.max; // => 4
 * await pool.close();
 * ```
 */
export function createClientPool(
  config: ClientConfig = {},
  options: ClientPoolOptions = {},
): Pool<Client> {
  expectDriverConfig(config, 'Give a connection string as `{ connectionString }`.');
  const {
    pooler = 'none',
    keepPreparedStatements = false,
    ...poolOptions
  } = givenOptions<ClientPoolOptions>('createClientPool', options, CLIENT_POOL_OPTIONS);
  refuseLimit(config, 'max', poolOptions.max);
  if (pooler === 'transaction') refuseStartupParameters(config);
  return createSessionPool(
    {
      errors: pgErrors,
      isAway,
      load: async () => (await import('pg')).default,
      makeSession: (pg, onBroken) =>
        new PgSession(
          clientWithTimeouts(pg, config, pooler),
          { pooler, keepPreparedStatements },
          onBroken,
        ),
    },
    poolOptions,
  );
}

/**
 * Gives a client of pg limits for its statements, unless `config`, its connection string or `pg.defaults` does. The client gets `config`
 * itself, not a copy: it has the password that is valid now, also one that is not enumerable as in the options of a `pg.Pool`.
 */
function clientWithTimeouts(
  pg: { readonly Client: typeof Client },
  config: ClientConfig,
  pooler: Pooler,
): Client {
  const client = new pg.Client(config);
  const { connectionParameters } = client as unknown as {
    readonly connectionParameters: Record<Timeout, unknown>;
  };
  for (const [name, millis] of Object.entries(TIMEOUTS[pooler]) as [Timeout, number][]) {
    if (config[name] === undefined) connectionParameters[name] ||= millis;
  }
  return client;
}

/** Settings of pg that it sends as startup parameters. PgBouncer refuses them, or ignores them without a word. */
const STARTUP_PARAMETERS = [
  'options',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
] as const;

function refuseStartupParameters(config: ClientConfig): void {
  for (const name of STARTUP_PARAMETERS) {
    if (config[name] === undefined || config[name] === false) continue;
    throw new InvalidArgumentError(
      `createClientPool: PgBouncer in transaction mode does not take \`${name}\`. Set it for the role with \`alter role … set …\`, or use \`set local\` in each transaction.`,
    );
  }
}
