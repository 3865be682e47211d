/** What is settled about a result before it is kept. */

/** On which terms a result is kept. */
export interface EntryTerms {
  readonly ttl: number;
  readonly tags: ReadonlySet<string> | undefined;
  readonly weight: number;
}
