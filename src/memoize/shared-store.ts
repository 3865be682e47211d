/**
 * The port to a store that several processes share. Every instance of Keyv is such a store, over Redis, Valkey or any other
 * system that Keyv supports.
 */

/** A store of values by string, shared with other processes. */
export interface SharedStore {
  /** Reads a value; `undefined` for none. */
  get(key: string): Promise<unknown>;
  /** Reads several values at once. Without this method they are read one by one. */
  getMany?(keys: string[]): Promise<unknown[]>;
  /** Stores a value for `ttl` milliseconds; 0 for no limit. Resolves to `false` if the store could not keep it. */
  set(key: string, value: unknown, ttl: number): Promise<unknown>;
  /** Removes a value. */
  delete(key: string): Promise<unknown>;
  /** Adds a listener to the errors that the store does not reject with. */
  on?(event: 'error', listener: (error: unknown) => void): unknown;
  /** Removes a listener. */
  off?(event: 'error', listener: (error: unknown) => void): unknown;
}
