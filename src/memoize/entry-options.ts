/** Options of one entry. */
export interface EntryOptions {
  /** How long it is fresh, in milliseconds. @default the option `ttl` */
  readonly ttl?: number | undefined;
  /** Its tags, besides those of the option `tags`. @default none */
  readonly tags?: Iterable<string> | undefined;
}
