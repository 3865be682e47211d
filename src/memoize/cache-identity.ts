/** What a part of a cache, imported apart, knows of its cache. */

/** The name of a cache, and where its errors go. */
export interface CacheIdentity {
  readonly name: string;
  /** The option `name`, if it was given. */
  readonly givenName: string | undefined;
  /** The option `key`, if it was given. */
  readonly key: unknown;
  readonly onError: (error: unknown, where: string) => void;
}
