/** What drivers' errors have in common, and how the causes of an error are searched. */

/** How many errors are looked at: causes may go round in a circle. */
const MAX_ERRORS = 16;

/** What drivers put on their errors. */
export interface DriverError {
  readonly code?: unknown;
  readonly errno?: unknown;
  readonly fatal?: unknown;
  readonly severity?: unknown;
  readonly message?: unknown;
  readonly routine?: unknown;
  readonly sqlState?: unknown;
}

/** Whether `test` holds for an error, for one of its causes, or for one of the errors that an `AggregateError` has. */
export function anyInChain(error: unknown, test: (error: DriverError) => boolean): boolean {
  const left: unknown[] = [error];
  for (let seen = 0; left.length > 0 && seen < MAX_ERRORS; seen++) {
    const next = left.shift();
    if (typeof next !== 'object' || next === null) continue;
    if (test(next)) return true;
    const { cause, errors } = next as { readonly cause?: unknown; readonly errors?: unknown };
    left.push(cause);
    if (Array.isArray(errors)) left.push(...errors.slice(0, MAX_ERRORS));
  }
  return false;
}

/** Codes of Node's network errors: the connection is gone, or never was. */
export const NETWORK_CODES: ReadonlySet<unknown> = new Set([
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOTCONN',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
]);

/** Codes of errors that pass by themselves if the server is the right one: it restarts, or another one takes its place. */
export const AWAY_CODES: ReadonlySet<unknown> = new Set([
  ...NETWORK_CODES,
  'EAI_AGAIN', // The name of a server that fails over may have no address for a while.
  'ENOTFOUND',
]);

/** What a pool's factory says of errors, for the errors of one driver. */
export interface DriverErrors {
  /** Whether an error shows that its connection must not be lent again. */
  isBroken(error: unknown): boolean;
  /** Whether an error says that the server takes no more connections at the moment. */
  isFull(error: unknown): boolean;
  /** Whether an error says that a connection cannot be made until the configuration or the server's certificate changes. */
  isPermanent(error: unknown): boolean;
}
