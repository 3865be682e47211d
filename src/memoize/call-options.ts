/** Options of one call. */
export interface CallOptions {
  /**
   * Rejects this caller with the signal's reason when it aborts; other callers go on waiting. The load is aborted when its last
   * caller has left, if the loader has read its own `signal`. A signal that has already aborted rejects without a load.
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Begins a new load, even if a result is stored or a load is in flight. Calls with this option in one turn of an asynchronous
   * function share a load. The stored result stays if the load fails. @default false
   */
  readonly forceRefresh?: boolean | undefined;
}
