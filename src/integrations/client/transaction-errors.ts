/** The errors of a transaction whose server does not answer. */
import { nameErrorClass, TenureError } from '../../core/errors.js';

/**
 * The server has not answered `begin`, or the question before the commit, within `answerTimeoutMillis`, or an earlier statement has
 * held up the commit for that long, such as a cursor that is open. The connection is destroyed, and nothing is stored. Code
 * `TENURE_TRANSACTION_TIMEOUT`.
 */
export class TransactionTimeoutError extends TenureError {
  /** @internal */
  constructor(step: string, answerTimeoutMillis: number) {
    super(
      `The server has not answered the ${step} of a transaction within ${answerTimeoutMillis} ms. See whether it runs and can be reached, and whether the work has left a cursor, a stream or a COPY open, or raise \`answerTimeoutMillis\`.`,
      { code: 'TENURE_TRANSACTION_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(TransactionTimeoutError, 'TransactionTimeoutError');
  }
}

/**
 * The commit was sent, and its answer did not arrive: the transaction is stored or rolled back. `cause` is the error of the connection,
 * or a {@link TransactionTimeoutError}. Code `TENURE_COMMIT_UNKNOWN`.
 */
export class CommitUnknownError extends TenureError {
  /** @internal */
  constructor(cause: unknown) {
    super(
      'It is not known whether the transaction was committed: the connection broke before the answer arrived. Look for what it stores before you run it again.',
      { code: 'TENURE_COMMIT_UNKNOWN', cause },
    );
  }

  static {
    nameErrorClass(CommitUnknownError, 'CommitUnknownError');
  }
}
