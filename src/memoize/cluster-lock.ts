/** The port to a lock across processes: of all processes that need a result, one loads it. */

/** One process's hold of a lock. It is limited in time. */
export interface ClusterLease {
  /**
   * The fencing token: greater than that of any earlier holder of this lock. It tells late writes of an earlier holder. A value that
   * is no finite number counts as none.
   */
  readonly fence: number;
  /** Whether another process may hold the lock by now. */
  readonly lost: boolean;
  /** Releases the lock; later calls do nothing. The cache waits at most `storeTimeoutMillis` for it. */
  release(): Promise<void>;
}

/** What a lock may use while it is acquired. */
export interface LockRequest {
  /**
   * Makes a request to the lock's server, and rejects if no answer comes within what is left of the call's `storeTimeoutMillis`.
   * The wait for another holder of the lock is no wait for an answer.
   */
  ask<T>(request: () => Promise<T>): Promise<T>;
}

/** Locks by name, across processes. */
export interface ClusterLock {
  /**
   * Waits for the lock of a name. If it rejects, the cache loads without the lock. Only the requests that it makes by `request.ask`
   * are limited in time, so it must end its wait for another holder by itself.
   */
  acquire(name: string, request: LockRequest): Promise<ClusterLease>;
}
