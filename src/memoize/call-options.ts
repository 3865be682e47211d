/** How one call may differ from the others. */
export interface CallOptions {
  /**
   * Lets this caller leave: it is rejected with the signal's reason, the others go on waiting. The load itself is aborted
   * when the last has left, if it took its `signal`. A signal that is aborted already rejects without a load.
   */
  readonly signal?: AbortSignal;
  /** Loads anew, or joins a load in flight, whatever is stored. What is stored stays if the load fails. @default false */
  readonly forceRefresh?: boolean;
}
