/** The terms of a result. They are decided before the result is stored. */

/** The terms on which a result is kept: its `ttl` in milliseconds, its tags and its weight. */
export interface EntryTerms {
  readonly ttl: number;
  /** How old the result is already, in milliseconds; absent for a new one. */
  readonly age?: number | undefined;
  readonly tags: ReadonlySet<string> | undefined;
  readonly weight: number;
  /** Whether this process keeps the result. If not, it is kept in the shared store alone. */
  readonly keptHere: boolean;
}
