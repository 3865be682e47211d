/** Options of one call. */
export interface CallOptions {
  /**
   * Rejects this caller with the signal's reason when it aborts; other callers go on waiting. The load itself is aborted when its
   * last caller has left, if the loader took its `signal`. A signal that has aborted already rejects without a load.
   */
  readonly signal?: AbortSignal;
  /** Loads anew, or joins a load in flight, even if a result is stored. That result stays if the load fails. @default false */
  readonly forceRefresh?: boolean;
}
