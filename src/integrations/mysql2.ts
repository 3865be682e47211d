/**
 * For the package mysql2: adopts its pools, with promises or with callbacks, and makes pools of bare connections.
 *
 * An adopted pool has leases, `use` and a watch. Its waits end by a timeout or a signal; mysql2's own waits have neither. The pool
 * stays yours. `pool.query()` works as before. A connection whose error shows that it is broken is destroyed at the end of its loan.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import type { PoolConnection as CallbackConnection, Pool as CallbackPool } from 'mysql2';
import type { Pool, PoolConnection } from 'mysql2/promise';
import {
  type MysqlConnectionList,
  type MysqlConnectionState,
  type MysqlPoolState,
  mysqlPoolFigures,
} from '../core/driver-pools.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import type { AdoptOptions } from './adoption/adopt-options.js';
import { AdoptedPool } from './adoption/adopted-pool.js';
import { answerWith } from './adoption/answer-with.js';
import { checkPeer } from './adoption/check-peer.js';
import type { PeerRequest } from './adoption/peer-pool.js';
import { leftOpenOnMysql } from './client/left-open.js';
import { mysqlErrors } from './mysql2/mysql-errors.js';

export type { Pool as ClientPool } from '../pool/pool.js';
export type { PoolOptions } from '../pool/pool-options.js';
export * from './adoption/surface.js';
export type { ClientTransactionOptions, TransactionPool } from './client/transaction.js';
export { CommitUnknownError, TransactionTimeoutError } from './client/transaction-errors.js';
export type { DriverErrors } from './error-chain.js';
export { type ClientPoolOptions, createClientPool } from './mysql2/mysql-client-pool.js';
export { mysqlErrors } from './mysql2/mysql-errors.js';
export type { SessionVariables } from './mysql2/mysql-session.js';
export {
  type IsolationLevel,
  MysqlTransactionEndedError,
  type TransactionOptions,
  transaction,
} from './mysql2/mysql-transaction.js';

/**
 * Adopts a pool of `mysql2/promise`: gives it leases, `use` and a watch. A connection is the same object in each of its loans. mysql2
 * has no public figures. Those in `stats()` are read from its private lists. They are 0 if a version of mysql2 has no such lists.
 *
 * @example
 * ```ts
 * import mysql from 'mysql2/promise';
 * import { adoptPool } from 'tenure/integrations/mysql2';
 *
 * const db = adoptPool(mysql.createPool({ connectionLimit: 4 }), { name: 'orders-db' });
 * db.stats().max; // => 4
 * await db.close({ endPeer: true });
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a pool of another package, and for options that are unknown
 * or malformed.
 */
export function adoptPool(
  pool: Pool,
  options?: AdoptOptions<PoolConnection>,
): AdoptedPool<PoolConnection>;
/** Adopts a pool of `mysql2`, with callbacks: gives it leases, `use` and a watch. */
export function adoptPool(
  pool: CallbackPool,
  options?: AdoptOptions<CallbackConnection>,
): AdoptedPool<CallbackConnection>;
export function adoptPool(
  pool: Pool | CallbackPool,
  options: AdoptOptions<never> = {},
): AdoptedPool<PoolConnection> | AdoptedPool<CallbackConnection> {
  checkPeer(pool, 'a pool of mysql2', ['getConnection', 'end', 'query', 'on']);
  // The connector of MariaDB has the same methods, and no pool with callbacks underneath.
  checkPeer(isCallbackPool(pool) ? pool : pool.pool, 'a pool of mysql2', ['promise']);
  return isCallbackPool(pool)
    ? adopt<CallbackConnection>(
        (request) => askCore(pool, request, (connection) => connection),
        (connection) => connection,
        pool,
        () => ended(pool),
        options,
      )
    : adopt<PoolConnection>(
        requestOf(pool),
        ({ connection }) => connection,
        pool.pool,
        () => pool.end(),
        options,
      );
}

/**
 * Asks a pool with promises. Its own `getConnection` makes a promise, and a wrapper with listeners, for each loan. So the pool with
 * callbacks underneath is asked instead, and each connection keeps its wrapper. A `getConnection` that is not mysql2's own is called as
 * it is.
 */
function requestOf(pool: Pool): (request: PeerRequest<PoolConnection>) => void {
  const prototype: Pool = Object.getPrototypeOf(pool);
  const ownGetConnection =
    prototype.constructor.name === 'PromisePool' ? prototype.getConnection : undefined;
  const wrappers = new WeakMap<CallbackConnection, PoolConnection>();
  const wrapperOf = (connection: CallbackConnection): PoolConnection => {
    const known = wrappers.get(connection);
    if (known !== undefined) return known;
    const wrapper = connection.promise((pool as { readonly Promise?: PromiseConstructor }).Promise);
    wrappers.set(connection, wrapper);
    return wrapper;
  };
  return (request) => {
    if (pool.getConnection === ownGetConnection) askCore(pool.pool, request, wrapperOf);
    else answerWith(request, pool.getConnection());
  };
}

function askCore<T>(
  pool: CallbackPool,
  request: PeerRequest<T>,
  resourceOf: (connection: CallbackConnection) => T,
): void {
  pool.getConnection((error, connection) => {
    if (error === null || error === undefined) request.deliver(resourceOf(connection));
    else request.refuse(error);
  });
}

function adopt<T extends { release(): void; destroy(): void }>(
  request: (request: PeerRequest<T>) => void,
  /** Gives the connection itself. A pool with promises makes a new wrapper around it for each loan. */
  identify: (connection: T) => object,
  core: CallbackPool,
  end: () => unknown,
  options: AdoptOptions<T>,
): AdoptedPool<T> {
  return new AdoptedPool<T>(
    {
      pool: core,
      request,
      identify,
      leftOpen: leftOpenOnMysql,
      giveBack: (connection) => {
        if (isReleased(identify(connection))) throw new Error('it is not out');
        try {
          connection.release();
        } catch (error) {
          if (!isReleased(identify(connection))) throw error;
          reportIgnoredError("a listener for 'release' of a pool of mysql2", error); // The pool has the connection.
        }
      },
      destroy: (connection) => {
        connection.destroy();
        // mysql2 only ends its side of the connection: a server that has more rows than are read would wait to send them.
        (identify(connection) as { readonly stream?: Duplex }).stream?.destroy();
      },
      figures: () => mysqlPoolFigures(core as unknown as MysqlPoolState),
      loans: () => loansOf(core),
      hasEnded: () => isClosed(core),
      hasReclaimed: () => isClosed(core),
      end,
    },
    options,
    { isBroken: mysqlErrors.isBroken },
  );
}

function isCallbackPool(pool: Pool | CallbackPool): pool is CallbackPool {
  return typeof (pool as Partial<CallbackPool>).promise === 'function';
}

function ended(pool: CallbackPool): Promise<void> {
  return new Promise((resolve, reject) => {
    pool.end((error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}

function isClosed(core: CallbackPool): boolean {
  return (core as unknown as MysqlPoolState)._closed === true;
}

/** Whether the connection was released. mysql2 ignores a second release, but has a flag for the first. */
function isReleased(connection: Pick<MysqlConnectionState, '_released'>): boolean {
  return connection._released === true;
}

/** The connections that a pool has lent, each with the time at which it was released last. Those that connect are left out. */
function loansOf(core: CallbackPool): ReadonlyMap<unknown, unknown> | undefined {
  const { _closed, _allConnections, _freeConnections } = core as unknown as MysqlPoolState;
  if (_allConnections?.get === undefined || _freeConnections?.get === undefined) return undefined;
  const loans = new Map<unknown, unknown>();
  if (_closed === true) return loans;
  const free = new Set(connectionsIn(_freeConnections));
  for (const connection of connectionsIn(_allConnections)) {
    const isLent = connection.authorized !== false && connection._released !== true;
    if (isLent && !free.has(connection)) loans.set(connection, connection.lastActiveTime ?? 0);
  }
  return loans;
}

function connectionsIn(list: MysqlConnectionList): MysqlConnectionState[] {
  return Array.from({ length: list.length }, (_, i) => list.get?.(i) ?? {});
}
