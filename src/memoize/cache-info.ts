/** A cache's figures. */
export interface CacheInfo {
  /** Calls answered by a stored result. */
  readonly hits: number;
  /** Calls that ran the function. */
  readonly misses: number;
  /** Calls that were given the promise of a load that was already in flight; neither hits nor misses. */
  readonly joins: number;
  /** Runs of the function that brought a result. */
  readonly loads: number;
  /** Runs of the function that threw or rejected. */
  readonly loadFailures: number;
  /** Entries that had to make room, `max` being reached. */
  readonly evictions: number;
  /** Entries that were found to have outlived their `ttl`. */
  readonly expirations: number;
  /** Entries that went because an object in their key was collected. */
  readonly collected: number;
  /** Loads that a caller could join at this moment. */
  readonly inFlight: number;
  /** Entries stored at this moment, expired ones that nobody has come across included. */
  readonly size: number;
  /** The most that `size` can be; `Infinity` without a bound. */
  readonly max: number;
}
