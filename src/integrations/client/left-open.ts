/**
 * What a holder has left open on the connection that it releases: a cursor, a stream of rows, or a COPY. The statements of the next holder
 * would wait until it ends, perhaps for ever. Both functions give `undefined` if nothing is left open, which costs the reading of one or two
 * properties. They read private state of the drivers, and tell nothing of a connection that has none.
 */

/** What pg's types do not declare. */
interface PgState {
  readonly readyForQuery?: boolean;
  readonly _activeQuery?: object | null;
  readonly _queryQueue?: readonly object[];
  readonly connection?: { on(event: string, listener: () => void): unknown };
}

/** Settles when what a holder has left open on a client of pg has ended. */
export function leftOpenOnPg(client: unknown): Promise<void> | undefined {
  const state = client as PgState | undefined | null;
  if (state?.readyForQuery !== false || !hasOpen(state)) return undefined;
  return new Promise((resolve) => {
    const look = (): void => {
      if (!hasOpen(state)) resolve();
    };
    state.connection?.on('readyForQuery', look);
    state.connection?.on('end', resolve);
  });
}

/** Whether a statement is not one of pg's own, which end without their users. */
function hasOpen({ _activeQuery, _queryQueue = [] }: PgState): boolean {
  return [_activeQuery, ..._queryQueue].some((query) => query && !('requiresPreparation' in query));
}

/** What mysql2's types do not declare. */
interface MysqlState {
  /** A command without `onResult` gives its rows one by one. */
  readonly _command?: {
    readonly onResult?: unknown;
    once(event: 'end', listener: () => void): unknown;
  } | null;
  readonly _paused?: boolean;
}

/** Settles when the rows that a holder has not read from a connection of mysql2 are read. */
export function leftOpenOnMysql(connection: unknown): Promise<void> | undefined {
  const state = connection as MysqlState | undefined | null;
  const command = state?._command;
  const isOpen = state?._paused === true || (command != null && command.onResult === undefined);
  return isOpen ? new Promise((resolve) => command?.once('end', resolve)) : undefined;
}
