/** Options of one entry, for `set`. */
export interface EntryOptions {
  /** How long the entry is fresh, in milliseconds. @default the option `ttl` */
  readonly ttl?: number | undefined;
  /** Tags of the entry besides those of the option `tags`. @default none */
  readonly tags?: Iterable<string> | undefined;
}
