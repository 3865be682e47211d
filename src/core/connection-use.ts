/**
 * Tells whether the holder of a connection to a database uses it, although it asks nothing of its pool:
 *
 * | the connection | is in use |
 * |---|---|
 * | hears notifications of Postgres (`LISTEN`) | as long as it has a listener for them |
 * | has sent a statement | until the answer is complete: a long report, a wait for a lock |
 * | carries rows of a stream or a cursor, a COPY, a replication, a binlog | while bytes go over it |
 *
 * A stream or a cursor that is read no further is not in use: its holder may have lost it. Reads private state of pg and mysql2, and tells
 * nothing of a connection that has none.
 */

/** What a report says of a resource that is in use although its holder asks nothing of the pool. */
export const IN_USE = 'in use';

/** What the types of pg and mysql2 do not declare. */
interface Connection {
  listenerCount?(event: string): number;
  /** pg: whether the server waits for a statement. */
  readonly readyForQuery?: boolean;
  /** pg: the statement that runs. */
  readonly _activeQuery?: object | null;
  /** mysql2: the command that runs. One without `onResult` gives its rows one by one. */
  readonly _command?: { readonly onResult?: unknown } | null;
  readonly _paused?: boolean;
  readonly stream?: Socket;
  /** pg: the protocol of a client. mysql2 with promises: the connection itself. */
  readonly connection?: Connection;
}

interface Socket {
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
}

/** Makes a function that tells whether a connection is in use. O(1). It compares the bytes with those at its call before. */
export function connectionUse(): (resource: unknown) => boolean {
  const known = new WeakMap<Socket, number>();
  return (resource) => {
    const given = Object(resource) as Connection;
    const inner = given.connection ?? given;
    const { stream } = inner;
    const bytes = stream && Number(stream.bytesRead) + Number(stream.bytesWritten);
    const before = stream && known.get(stream);
    if (stream !== undefined && bytes !== undefined) known.set(stream, bytes);
    return (
      Number(given.listenerCount?.('notification')) > 0 ||
      isAtWork(given, inner) ||
      (before !== undefined && before !== bytes)
    );
  };
}

/** Whether the server works at a statement that ends without its holder. */
function isAtWork({ readyForQuery, _activeQuery }: Connection, inner: Connection): boolean {
  if (readyForQuery === false && _activeQuery != null) return 'requiresPreparation' in _activeQuery;
  return inner._command?.onResult !== undefined && inner._paused !== true;
}
