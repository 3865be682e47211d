/** How one of several processes gets to load what all of them want. */

/** The right to load, as long as it lasts. */
export interface ClusterLease {
  /** Greater than that of any earlier holder of the same lock: what an earlier holder writes later can be told by it. */
  readonly fence: number;
  /** Whether somebody else may hold the lock by now. */
  readonly lost: boolean;
  /** Gives it back; later calls do nothing. */
  release(): Promise<void>;
}

/** A lock on names, across processes. */
export interface ClusterLock {
  /** Waits for the lock; rejects if it cannot be had, in which case the cache loads without it. */
  acquire(name: string): Promise<ClusterLease>;
}
