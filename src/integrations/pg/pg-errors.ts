/** What errors of pg and Postgres say about a connection. */
import {
  AWAY_CODES,
  anyInChain,
  type DriverError,
  type DriverErrors,
  NETWORK_CODES,
} from '../error-chain.js';

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY = '25006';

/** SQLSTATEs after which a connection must not be lent again, besides class 08 (connection exceptions). */
const BROKEN_STATES: ReadonlySet<unknown> = new Set([
  READ_ONLY, // The server is a standby since a failover.
  '26000', // invalid_sql_statement_name: the server has forgotten a prepared statement that the client takes for known
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P04', // database_dropped
  '57P05', // idle_session_timeout
]);

/** The function of the server that refuses a prepared statement whose columns have changed since: after a migration, at each call. */
const CHANGED_STATEMENT = 'RevalidateCachedQuery';

/** Messages of pg's errors that have no code. */
const BROKEN_MESSAGES =
  /^Connection terminated|connection error and is not queryable|Client was closed and is not queryable|^Query read timeout$/;

/** SQLSTATE too_many_connections. */
const FULL_STATE = '53300';

/** What poolers in front of Postgres say. */
const FULL_MESSAGES =
  /no more connections allowed|client connections exceeded|max client(s| connections) reached|too many clients/i;

/** Codes of Node's errors about the certificate of a server. */
const CERTIFICATE_CODES: ReadonlySet<unknown> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What pg says of a server without TLS. */
const NO_TLS_MESSAGE = /^The server does not support SSL connections$/;

/** What PgBouncer says of a setting that it does not pass on. */
const PARAMETER_MESSAGE = /^unsupported startup parameter/;

/** The refusals of statements that write, in transactions that were to be read-only. */
const expectedRefusals = new WeakSet<DriverError>();

/** Takes note that an error comes from a transaction that was to be read-only: 25006 then says nothing about the server. */
export function expectReadOnly(error: unknown): void {
  anyInChain(error, (each) => {
    if (each.code === READ_ONLY) expectedRefusals.add(each);
    return false;
  });
}

function isBroken(error: DriverError): boolean {
  if (expectedRefusals.has(error)) return false;
  const { code, severity, message, routine } = error;
  return (
    BROKEN_STATES.has(code) ||
    routine === CHANGED_STATEMENT ||
    NETWORK_CODES.has(code) ||
    (typeof code === 'string' && /^08...$/.test(code)) ||
    severity === 'FATAL' ||
    severity === 'PANIC' ||
    (typeof message === 'string' && BROKEN_MESSAGES.test(message))
  );
}

/** Errors of statements that pg has not sent, and of transactions that the server has ended while they were idle. */
const UNSENT_MESSAGE = /is not queryable$/;
const UNSENT_STATES: ReadonlySet<unknown> = new Set(['25P03', '25P04']);

/** Whether an error of a broken connection shows that its statement did not run. */
export function isUnsent(error: unknown): boolean {
  return anyInChain(
    error,
    ({ code, message }) => UNSENT_STATES.has(code) || UNSENT_MESSAGE.test(String(message)),
  );
}

/** SQLSTATEs of a server that stops or starts: admin_shutdown, crash_shutdown, cannot_connect_now. */
const AWAY_STATES: ReadonlySet<unknown> = new Set(['57P01', '57P02', '57P03']);

/** Messages of pg, and of PgBouncer whose server does not answer. */
const AWAY_MESSAGES = /^Connection terminated|^timeout expired$|server_login_retry|connect failed/;

/** Whether an error of a new connection says that the server is away for now: it restarts, or another one takes its place. */
export function isAway(error: unknown): boolean {
  return anyInChain(
    error,
    ({ code, message }) =>
      AWAY_STATES.has(code) || AWAY_CODES.has(code) || AWAY_MESSAGES.test(String(message)),
  );
}

function isPermanent({ code, message }: DriverError): boolean {
  return (
    CERTIFICATE_CODES.has(code) ||
    NO_TLS_MESSAGE.test(String(message)) ||
    PARAMETER_MESSAGE.test(String(message))
  );
}

function isFull({ code, message }: DriverError): boolean {
  return code === FULL_STATE || (typeof message === 'string' && FULL_MESSAGES.test(message));
}

/**
 * `isBroken`, `isFull` and `isPermanent` of a pool's factory, for errors of pg. Each looks at the causes of an error, too.
 *
 * - broken: SQLSTATE class 08, 25006 outside of a `transaction` that is `readOnly`, 25P03, 25P04, 57P01 to 57P05, any FATAL error,
 *   network errors of Node such as `ECONNRESET`, a terminated connection, and `Query read timeout`, after which an answer may still come;
 *   26000 and `cached plan must not change result type`, which a prepared statement gives again and again on the same connection
 * - full: SQLSTATE 53300, and the answers of PgBouncer and Supavisor at their limits
 * - permanent: the server's certificate is not accepted, or it has no TLS; PgBouncer refuses a startup parameter
 *
 * @example
 * ```ts
 * import { pgErrors } from 'tenure/integrations/pg';
 *
 * pgErrors.isBroken(Object.assign(new Error(), { code: '57P01' })); // => true
 * pgErrors.isBroken(Object.assign(new Error(), { code: '23505' })); // => false
 * pgErrors.isFull(Object.assign(new Error(), { code: '53300' })); // => true
 * ```
 */
export const pgErrors: DriverErrors = {
  isBroken: (error) => anyInChain(error, isBroken),
  isFull: (error) => anyInChain(error, isFull),
  isPermanent: (error) => anyInChain(error, isPermanent),
};
