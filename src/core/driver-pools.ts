/**
 * The figures of the pools of pg and mysql2, in part from their private lists. A connection that is being opened has no
 * holder, so it counts as created and not as borrowed. A figure that a version does not have is 0.
 */

/** The figures of a pool. */
export type DriverPoolFigures = Readonly<
  Record<'size' | 'available' | 'borrowed' | 'pending' | 'creating' | 'min' | 'max', number>
>;

/** What is read of a pool of pg. */
export interface PgPoolState {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
  readonly options: { readonly max?: number; readonly min?: number };
  /** A client has `release` from its first loan on. */
  readonly _clients?: readonly { readonly release?: unknown }[];
}

/** What is read of a connection in a pool of mysql2. */
export interface MysqlConnectionState {
  readonly authorized?: boolean;
  readonly lastActiveTime?: number;
  readonly _released?: boolean;
}

/** A list of connections of mysql2. */
export interface MysqlConnectionList {
  readonly length: number;
  get?(index: number): MysqlConnectionState | undefined;
}

/** What is read of a pool of mysql2, with callbacks. */
export interface MysqlPoolState {
  readonly config: { readonly connectionLimit?: number };
  readonly _closed?: boolean;
  readonly _allConnections?: MysqlConnectionList;
  readonly _freeConnections?: MysqlConnectionList;
  readonly _connectionQueue?: { readonly length: number };
}

/** Gives the figures of a pool of pg. O(clients). */
export function pgPoolFigures(pool: PgPoolState): DriverPoolFigures {
  const { totalCount: size, idleCount: available, options } = pool;
  const creating = pool._clients?.filter(({ release }) => release === undefined).length ?? 0;
  return {
    size,
    available,
    borrowed: size - available - creating,
    pending: pool.waitingCount,
    creating,
    min: options.min ?? 0,
    max: options.max ?? 0,
  };
}

/** Gives the figures of a pool of mysql2. O(connections). */
export function mysqlPoolFigures(pool: MysqlPoolState): DriverPoolFigures {
  const { _closed, _allConnections: all, _freeConnections, _connectionQueue, config } = pool;
  const size = _closed === true ? 0 : (all?.length ?? 0); // An ended pool has closed all.
  const available = Math.min(size, _freeConnections?.length ?? 0);
  let creating = 0;
  for (let i = 0; i < size; i++) if (all?.get?.(i)?.authorized === false) creating++;
  return {
    size,
    available,
    borrowed: size - available - creating,
    pending: _connectionQueue?.length ?? 0,
    creating,
    min: 0,
    max: config.connectionLimit ?? 0,
  };
}
