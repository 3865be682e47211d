/** What one entry is given besides its result. */
export interface EntryOptions {
  /** How long it is fresh, in milliseconds, in place of what the option `ttl` says. */
  readonly ttl?: number | undefined;
  /** Its tags besides those of the option `tags`. */
  readonly tags?: Iterable<string> | undefined;
}
