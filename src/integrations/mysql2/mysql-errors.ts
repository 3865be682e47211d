/** What errors of mysql2, MySQL and MariaDB say about a connection. */
import {
  AWAY_CODES,
  anyInChain,
  type DriverError,
  type DriverErrors,
  NETWORK_CODES,
} from '../error-chain.js';

/** ER_SERVER_SHUTDOWN. */
const SERVER_SHUTDOWN = 1053;

/** Error numbers after which a connection must not be lent again. */
const BROKEN_NUMBERS: ReadonlySet<unknown> = new Set([
  SERVER_SHUTDOWN,
  1152, // ER_ABORTING_CONNECTION
  1184, // ER_NEW_ABORTING_CONNECTION
  1243, // ER_UNKNOWN_STMT_HANDLER: the server has forgotten a prepared statement that mysql2 takes for known
  1290, // ER_OPTION_PREVENTS_STATEMENT: the server is read-only since a failover
  1615, // ER_NEED_REPREPARE: mysql2 does not prepare it again
  1836, // ER_READ_ONLY_MODE
  1927, // ER_CONNECTION_KILLED
  3169, // ER_SESSION_WAS_KILLED
  4031, // ER_CLIENT_INTERACTION_TIMEOUT
]);

/** Codes of mysql2's errors of statements that it does not send. */
const UNSENT_CODES: ReadonlySet<unknown> = new Set([
  'PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR',
  'PROTOCOL_ENQUEUE_AFTER_QUIT',
]);

/** Codes of mysql2's own errors. After a timeout an answer may still come. */
const BROKEN_CODES: ReadonlySet<unknown> = new Set([
  'PROTOCOL_CONNECTION_LOST',
  ...UNSENT_CODES,
  'PROTOCOL_PACKETS_OUT_OF_ORDER',
  'PROTOCOL_SEQUENCE_TIMEOUT',
]);

/** A statement on a connection that has ended. Earlier versions of mysql2 give this error no code, and do not say that it is fatal. */
const CLOSED_MESSAGE = /connection is in closed state/;

/** ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS. */
const FULL_NUMBERS: ReadonlySet<unknown> = new Set([1040, 1203]);

/** ER_USER_LIMIT_REACHED, which also counts queries and updates. */
const USER_LIMIT = 1226;

/** SQLSTATE class 08, connection exceptions: 08S01 is also that of a Galera node without its cluster. */
const CONNECTION_STATE = /^08/;

function isBroken({ code, errno, fatal, message, sqlState }: DriverError): boolean {
  return (
    fatal === true ||
    CONNECTION_STATE.test(String(sqlState)) ||
    BROKEN_NUMBERS.has(errno) ||
    BROKEN_CODES.has(code) ||
    NETWORK_CODES.has(code) ||
    (typeof message === 'string' && CLOSED_MESSAGE.test(message))
  );
}

/** Whether an error of a broken connection shows that mysql2 has not sent its statement. */
export function isUnsent(error: unknown): boolean {
  return anyInChain(
    error,
    ({ code, message }) => UNSENT_CODES.has(code) || CLOSED_MESSAGE.test(String(message)),
  );
}

/** What a node of Galera says until it has its cluster (again). */
const NO_CLUSTER_MESSAGE = /^WSREP has not yet prepared node/;

/** Whether an error of a new connection says that the server is away for now: it restarts, or another one takes its place. */
export function isAway(error: unknown): boolean {
  return anyInChain(
    error,
    ({ code, errno, message }) =>
      errno === SERVER_SHUTDOWN ||
      code === 'PROTOCOL_CONNECTION_LOST' ||
      AWAY_CODES.has(code) ||
      NO_CLUSTER_MESSAGE.test(String(message)),
  );
}

/** The server has no TLS, or its certificate is not accepted: mysql2 gives the code of a failed handshake in place of Node's. */
function isPermanent({ code, message }: DriverError): boolean {
  if (code === 'HANDSHAKE_NO_SSL_SUPPORT') return true;
  return code === 'HANDSHAKE_SSL_ERROR' && /certificate/i.test(String(message));
}

function isFull({ errno, message }: DriverError): boolean {
  return FULL_NUMBERS.has(errno) || (errno === USER_LIMIT && /connections/.test(String(message)));
}

/**
 * `isBroken`, `isFull` and `isPermanent` of a pool's factory, for errors of mysql2. Each looks at the causes of an error, too.
 *
 * - broken: any fatal error, SQLSTATE class 08, 1053, 1152, 1184, 1290, 1836, 1927, 3169, 4031, a lost connection, a protocol out of
 *   order, a
 *   timeout of a query, and network errors of Node such as `ECONNRESET`; 1243 and 1615, which a prepared statement gives again and again on
 *   the same connection
 * - full: 1040, 1203, and 1226 for connections
 * - permanent: the server's certificate is not accepted, or it has no TLS
 *
 * @example
 * ```ts
 * import { mysqlErrors } from 'tenure/integrations/mysql2';
 *
 * mysqlErrors.isBroken(Object.assign(new Error(), { errno: 1927 })); // => true
 * mysqlErrors.isBroken(Object.assign(new Error(), { errno: 1062 })); // => false
 * mysqlErrors.isFull(Object.assign(new Error(), { errno: 1040 })); // => true
 * ```
 */
export const mysqlErrors: DriverErrors = {
  isBroken: (error) => anyInChain(error, isBroken),
  isFull: (error) => anyInChain(error, isFull),
  isPermanent: (error) => anyInChain(error, isPermanent),
};
