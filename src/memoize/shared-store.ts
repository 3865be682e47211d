/**
 * The level that several processes share, as far as the cache needs to know it. Every instance of Keyv is one, over
 * Redis, Valkey or whatever else Keyv speaks.
 */

/** A store of values by string, shared with other processes. */
export interface SharedStore {
  /** The value, or `undefined` for none. */
  get(key: string): Promise<unknown>;
  /** All at once; without it they are asked for one by one. */
  getMany?(keys: string[]): Promise<unknown[]>;
  /** Keeps a value for `ttl` milliseconds, 0 being for ever; resolves to `false` if that failed. */
  set(key: string, value: unknown, ttl: number): Promise<unknown>;
  /** Removes a value. */
  delete(key: string): Promise<unknown>;
  /** Tells of errors, where the store swallows them. */
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  /** Ends that. */
  off?(event: 'error', listener: (error: unknown) => void): unknown;
}
