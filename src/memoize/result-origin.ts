/** Where a result comes from, for a cache that shares its results with other processes. */

/** The tokens that were present when a load began. */
export interface LoadTokens {
  readonly key: string;
  readonly cache: string;
  /** Changes with every invalidation of any tag, for loads that do not know their tags yet. */
  readonly tags: string;
}

/** Where a result of this process comes from. It tells whether the result was invalidated since. */
export interface ResultOrigin {
  /** Of the load, or of the write to the store that had the result. */
  readonly revision: string;
  /** Those from before its load, as far as they are known. */
  tokens: LoadTokens | undefined;
  readonly hasTags: boolean;
}
