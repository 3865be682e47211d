/** A transaction on a client of any pool that has `use`. */
import type { ClientBase, QueryResult } from 'pg';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import {
  type ClientTransactionOptions,
  runTransaction,
  type TransactionKind,
  type TransactionPool,
  type TransactionSteps,
} from '../client/transaction.js';
import { expectReadOnly, isUnsent, pgErrors } from './pg-errors.js';
import { OPEN_TRANSACTION, PgTransactionEnd } from './pg-transaction-end.js';

/** How a transaction is isolated from others. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

/** Options of `transaction`. */
export type TransactionOptions = ClientTransactionOptions<IsolationLevel>;

/**
 * The work has succeeded, and the server has answered its commit with a rollback, because a statement had failed. Nothing is stored.
 * Code `TENURE_PG_ROLLED_BACK`.
 */
export class PgRolledBackError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The transaction was rolled back at its commit, because one of its statements failed and the work ignored the error. Let the error of a statement reject the work, or use a savepoint around a statement that may fail.',
      { code: 'TENURE_PG_ROLLED_BACK' },
    );
  }

  static {
    nameErrorClass(PgRolledBackError, 'PgRolledBackError');
  }
}

/**
 * The work has ended the transaction by itself, by `commit` or `rollback`, so there was nothing to commit. What ran afterwards was
 * committed statement by statement. Code `TENURE_PG_TRANSACTION_ENDED`.
 */
export class PgTransactionEndedError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The transaction had ended before its commit: the work has sent `commit` or `rollback`. Return from the work to commit, and throw an error to roll back.',
      { code: 'TENURE_PG_TRANSACTION_ENDED' },
    );
  }

  static {
    nameErrorClass(PgTransactionEndedError, 'PgTransactionEndedError');
  }
}

/** SQLSTATE no_active_sql_transaction: the server's warning at a commit without a transaction. */
const NO_TRANSACTION = '25P01';

/** SQLSTATE in_failed_sql_transaction: the server's error at any statement after one that has failed. */
const FAILED_TRANSACTION = '25P02';

/**
 * Runs `work` in a transaction: committed when the work succeeds, rolled back when it fails. Resolves to what `work` returned, after the
 * commit. A client that cannot roll back is destroyed, and so is a broken one, without a `rollback`.
 *
 * Rejects with the error of `work`, with {@link PgRolledBackError} if the server has rolled back instead of committing, or with
 * {@link PgTransactionEndedError} if the work has ended the transaction by itself; a transaction that it has begun instead is rolled back.
 * `pg-native` tells nothing of an end by the work, and it is not noticed.
 *
 * What an earlier holder of the client has left open is rolled back first. An adopted pool may lend such a client.
 *
 * Rejects with {@link CommitUnknownError} if the connection breaks during the commit, or the answer does not arrive in time: the
 * transaction is stored, or rolled back. Rejects with {@link TransactionTimeoutError} if `begin` is not answered in time. The commit is
 * sent when the statements that the work did not await are answered. If it has left a cursor, a stream or a COPY open, that does not
 * come: it rejects with {@link TransactionTimeoutError}, or with `Query read timeout` of pg, and nothing is stored.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export async function transaction<R, C extends ClientBase>(
  pool: TransactionPool<C>,
  work: (client: C) => Promise<R>,
  options: TransactionOptions = {},
): Promise<Awaited<R>> {
  return runTransaction(STEPS, pool, work, options);
}

const STEPS: TransactionSteps<ClientBase, IsolationLevel> = {
  isolationLevels: ['read committed', 'repeatable read', 'serializable'],
  isBroken(error, { readOnly }) {
    if (readOnly) expectReadOnly(error);
    return pgErrors.isBroken(error);
  },
  async begin(client, kind) {
    if (await begins(client, kind)) return;
    await client.query('rollback');
    await begins(client, kind);
  },
  async run(client, work, answered) {
    const end = new PgTransactionEnd(client);
    try {
      const result = await work(client);
      if (hasPending(client)) await answered('statements', client.query(''));
      if (end.isSeen) throw new PgTransactionEndedError();
      return result;
    } finally {
      end.stop();
    }
  },
  async commit(client) {
    const { result, isNoticed } = await watchingFor(NO_TRANSACTION, client, 'commit');
    if (result.command === 'ROLLBACK') throw new PgRolledBackError();
    if (isNoticed) throw new PgTransactionEndedError();
  },
  isUncommitted: isUnsent,
  async rollBack(client, error) {
    // After `commit; begin` of the work another transaction is open.
    if (!(error instanceof PgRolledBackError)) await client.query('rollback');
  },
};

/**
 * Whether statements of the client are not answered yet: the work did not await them, or has left a cursor, a stream or a COPY open. A
 * client of `pg-native` does not tell.
 */
function hasPending(client: ClientBase): boolean {
  return (client as { readonly readyForQuery?: boolean }).readyForQuery === false;
}

/** Sends `begin`. Gives false if an earlier holder of the client has left a transaction open, or a failed one. */
async function begins(
  client: ClientBase,
  { isolationLevel, readOnly }: TransactionKind<IsolationLevel>,
): Promise<boolean> {
  const isolation = isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`;
  const statement = `begin${isolation}${readOnly ? ' read only' : ''}`;
  try {
    return !(await watchingFor(OPEN_TRANSACTION, client, statement)).isNoticed;
  } catch (error) {
    if ((error as { readonly code?: unknown } | null)?.code === FAILED_TRANSACTION) return false;
    throw error;
  }
}

/** Runs a statement, and sees whether the server gives a notice of this code meanwhile. */
async function watchingFor(
  code: string,
  client: ClientBase,
  statement: string,
): Promise<{ readonly result: QueryResult; readonly isNoticed: boolean }> {
  let isNoticed = false;
  const onNotice = (notice: { readonly code?: string | undefined }): void => {
    isNoticed ||= notice.code === code;
  };
  client.on('notice', onNotice);
  try {
    const result = await client.query(statement);
    return { result, isNoticed };
  } finally {
    client.off('notice', onNotice);
  }
}
