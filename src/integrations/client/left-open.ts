/**
 * What a holder has left open on the connection that it releases: a cursor, a stream of rows, or a COPY. The statements of the next
 * holder would wait until it ends, perhaps for ever. `leftOpenOn…` gives `undefined` if nothing is left open, which costs the reading
 * of one or two properties. All functions read private state of the drivers, and tell nothing of a connection that has none.
 */

/** A cursor, or a stream. */
interface OpenStatement {
  on?(event: 'error', listener: () => void): unknown;
}

interface Emitter {
  on(event: string, listener: () => void): unknown;
  off(event: string, listener: () => void): unknown;
}

/** What pg's types do not declare. */
interface PgState {
  readonly readyForQuery?: boolean;
  readonly _activeQuery?: OpenStatement | null;
  readonly _queryQueue?: readonly OpenStatement[];
  readonly connection?: Emitter;
}

/** Settles when what a holder has left open on a client of pg has ended. */
export function leftOpenOnPg(client: unknown): Promise<void> | undefined {
  const state = client as PgState | undefined | null;
  if (state?.readyForQuery !== false || openOn(state).length === 0) return undefined;
  return new Promise((resolve) => {
    const { connection } = state;
    const ended = (): void => {
      connection?.off('readyForQuery', look);
      connection?.off('end', ended);
      resolve();
    };
    const look = (): void => {
      if (openOn(state).length === 0) ended();
    };
    connection?.on('readyForQuery', look);
    connection?.on('end', ended);
  });
}

/**
 * Ignores the errors of what a holder has left open on a client of pg that is about to be destroyed. A stream without a listener for them
 * would end the process.
 */
export function ignoreErrorsLeftOpenOnPg(client: unknown): void {
  for (const query of openOn((client ?? {}) as PgState)) query.on?.('error', () => {});
}

/** The statements that are not of pg's own class. The others end without their users. */
function openOn({ _activeQuery, _queryQueue = [] }: PgState): OpenStatement[] {
  return [_activeQuery, ..._queryQueue].filter(
    (query): query is OpenStatement => query != null && !('requiresPreparation' in query),
  );
}

/** What mysql2's types do not declare. */
interface MysqlState {
  /** A command without `onResult` gives its rows one by one. */
  readonly _command?: {
    readonly onResult?: unknown;
    once(event: 'end', listener: () => void): unknown;
  } | null;
  readonly _paused?: boolean;
  /** A connection with promises has the connection itself here. */
  readonly connection?: MysqlState;
}

/** Settles when the rows that a holder has not read from a connection of mysql2 are read. */
export function leftOpenOnMysql(connection: unknown): Promise<void> | undefined {
  const given = Object(connection) as MysqlState;
  const { _command: command, _paused } = given.connection ?? given;
  const isOpen = _paused === true || (command != null && command.onResult === undefined);
  return isOpen ? new Promise((resolve) => command?.once('end', resolve)) : undefined;
}
