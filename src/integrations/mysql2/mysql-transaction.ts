/** A transaction on a connection of any pool that has `use`. */
import type { Connection, ResultSetHeader } from 'mysql2/promise';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import {
  type ClientTransactionOptions,
  runTransaction,
  type TransactionPool,
  type TransactionSteps,
} from '../client/transaction.js';
import { isUnsent, mysqlErrors } from './mysql-errors.js';
import { isInTransaction, MysqlTransactionEnd } from './mysql-transaction-end.js';

/** How a transaction is isolated from others. */
export type IsolationLevel =
  | 'read uncommitted'
  | 'read committed'
  | 'repeatable read'
  | 'serializable';

/** Options of `transaction`. */
export type TransactionOptions = ClientTransactionOptions<IsolationLevel>;

/**
 * The transaction had ended before its commit: a deadlock has rolled it back and the work ignored the error, or a statement such as
 * `CREATE TABLE` or `START TRANSACTION` has committed it. What ran afterwards was committed statement by statement. Code `TENURE_MYSQL_TRANSACTION_ENDED`.
 */
export class MysqlTransactionEndedError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The transaction had ended before its commit: a deadlock has rolled it back, or a statement such as CREATE TABLE or BEGIN has committed it. Let the error of a statement reject the work, and send no such statement.',
      { code: 'TENURE_MYSQL_TRANSACTION_ENDED' },
    );
  }

  static {
    nameErrorClass(MysqlTransactionEndedError, 'MysqlTransactionEndedError');
  }
}

/**
 * Runs `work` in a transaction: committed when the work succeeds, rolled back when it fails. Resolves to what `work` returned, after the
 * commit. A connection that cannot roll back is destroyed, and so is a broken one, without a `rollback`.
 *
 * Rejects with the error of `work`, or with {@link MysqlTransactionEndedError} if the transaction was gone before the commit; the
 * server is asked for that, which costs one round trip. A transaction that the work has begun instead is rolled back. Rejects with
 * {@link CommitUnknownError} if the connection breaks during the commit, or the answer does not arrive in time: the transaction is
 * stored, or rolled back. Rejects with {@link TransactionTimeoutError} if `start transaction`, or the question, is not answered in
 * time.
 *
 * MySQL commits what an earlier holder of the connection has left open when a transaction begins. A pool of `createClientPool` leaves
 * nothing open; to an adopted pool give a `reset` that calls `connection.rollback()`, which costs a round trip for each loan.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export async function transaction<R, C extends Connection>(
  pool: TransactionPool<C>,
  work: (connection: C) => Promise<R>,
  options: TransactionOptions = {},
): Promise<Awaited<R>> {
  return runTransaction(STEPS, pool, work, options);
}

const STEPS: TransactionSteps<Connection, IsolationLevel> = {
  isolationLevels: ['read uncommitted', 'read committed', 'repeatable read', 'serializable'],
  isBroken: mysqlErrors.isBroken,
  async begin(connection, { isolationLevel, readOnly }) {
    if (isolationLevel !== undefined) {
      await connection.query(`set transaction isolation level ${isolationLevel}`);
    }
    await connection.query(`start transaction${readOnly ? ' read only' : ''}`);
  },
  async run(connection, work, answered) {
    const end = new MysqlTransactionEnd(connection);
    try {
      const result = await work(connection);
      const [answer] = await answered(
        'check before the commit',
        connection.query<ResultSetHeader>('do 0'),
      );
      if (end.isSeen || !isInTransaction(answer)) throw new MysqlTransactionEndedError();
      return result;
    } finally {
      end.stop();
    }
  },
  commit: (connection) => connection.query('commit'),
  isUncommitted: isUnsent,
  rollBack: (connection) => connection.query('rollback'),
};
