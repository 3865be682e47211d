/** The part of a cache that the separately imported features of it know: disposal and the shared level. */

/** The name of a cache, the listener of its errors, and the windows of its stale results. */
export interface CacheIdentity {
  readonly name: string;
  /** The option `name`, if it was given. */
  readonly givenName: string | undefined;
  /** The option `key`, if it was given. */
  readonly key: unknown;
  /** The option `ttl`. */
  readonly ttl: unknown;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly onError: (error: unknown, where: string) => void;
  /** Whether `onError` is the default, which prints a limited number of errors. */
  readonly printsErrors: boolean;
}
