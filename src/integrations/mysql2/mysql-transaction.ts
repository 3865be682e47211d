/** A transaction on a connection of any pool that has `use`. */
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  type OptionTable,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../../core/options.js';

/** How a transaction is isolated from others. */
export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable';

/** Options of `transaction`. */
export interface TransactionOptions {
  /** Ends the wait for a connection, not the work. @default none */
  readonly signal?: AbortSignal;
  /** @default the server's */
  readonly isolationLevel?: IsolationLevel;
  /** Refuses statements that write. @default false */
  readonly readOnly?: boolean;
}

interface TransactionSettings {
  readonly signal: AbortSignal | undefined;
  readonly isolationLevel: IsolationLevel | undefined;
  readonly readOnly: boolean;
}

const TRANSACTION_OPTIONS: OptionTable<TransactionSettings> = {
  signal: optional(anAbortSignal),
  isolationLevel: optional(
    oneOf('read uncommitted', 'read committed', 'repeatable read', 'serializable'),
  ),
  readOnly: option(aBoolean, false),
};

/** A pool of connections, adopted or made by `createClientPool`. */
export interface TransactionPool<C extends Connection = Connection> {
  /** Calls `work` with a connection. */
  use<R>(
    work: (connection: C, context: { discard(reason?: string): void }) => Promise<R>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Awaited<R>>;
}

/** The flag of a server's status that says that a transaction is open. */
const IN_TRANSACTION = 1;

/**
 * The transaction had ended before its commit: a deadlock has rolled it back and the work ignored the error, or a statement such as
 * `CREATE TABLE` has committed it. What ran afterwards was committed statement by statement. Code `TENURE_MYSQL_TRANSACTION_ENDED`.
 */
export class TransactionEndedError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The transaction had ended before its commit: a deadlock has rolled it back and the work ignored the error, or a statement such as CREATE TABLE has committed it. Let the error of a statement reject the work, and change no tables within a transaction.',
      { code: 'TENURE_MYSQL_TRANSACTION_ENDED' },
    );
  }

  static {
    nameErrorClass(TransactionEndedError, 'TransactionEndedError');
  }
}

/**
 * Runs `work` in a transaction: committed when the work succeeds, rolled back when it fails. Resolves to what `work` returned, after the
 * commit. A connection that cannot roll back is destroyed.
 *
 * Rejects with the error of `work`, or with {@link TransactionEndedError} if the transaction was gone before the commit; the server
 * is asked for that, which costs one round trip. If the connection breaks during the commit, the outcome is not known; the error is
 * that of the connection.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export async function transaction<R, C extends Connection>(
  pool: TransactionPool<C>,
  work: (connection: C) => Promise<R>,
  options: TransactionOptions = {},
): Promise<Awaited<R>> {
  checkArgument('transaction', 'work', work, aFunction);
  const settings = resolveOptions('transaction', options, TRANSACTION_OPTIONS);
  const { signal } = settings;
  return pool.use(
    async (connection, context) => {
      try {
        await begin(connection, settings);
        const result = await work(connection);
        await expectOpen(connection);
        await connection.query('commit');
        return result;
      } catch (error) {
        await connection.query('rollback').catch(() => context.discard('rollback failed'));
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}

async function begin(
  connection: Connection,
  { isolationLevel, readOnly }: TransactionSettings,
): Promise<void> {
  if (isolationLevel !== undefined) {
    await connection.query(`set transaction isolation level ${isolationLevel}`);
  }
  await connection.query(`start transaction${readOnly ? ' read only' : ''}`);
}

async function expectOpen(connection: Connection): Promise<void> {
  const [{ serverStatus }] = await connection.query<ResultSetHeader>('do 0');
  if (((serverStatus ?? 0) & IN_TRANSACTION) === 0) throw new TransactionEndedError();
}
