/**
 * The pauses after loads in the background have failed, by key. The entry that such a load was to replace has the pause itself, but a
 * process that keeps no results has no such entry: it finds the stale result in the store again with each call.
 */
import { makeRoom } from './make-room.js';

/** The most keys that are remembered. */
const MAX_KEYS = 10_000;

/** The pauses of one cache. */
export class RetryPauses {
  readonly #ends = new Map<string, number>();

  /** When the pause of a key ends, on the cache's clock; 0 without one. */
  endOf(key: string): number {
    return this.#ends.get(key) ?? 0;
  }

  /** Lets no load of a key begin in the background before a time. */
  pause(key: string, until: number): void {
    this.#ends.delete(key);
    makeRoom(this.#ends, MAX_KEYS);
    this.#ends.set(key, until);
  }
}
