/** Reports a loan when the promise of a package delivers its resource. */
import type { Origin } from '../../core/probe.js';
import { isThenable } from '../../core/thenable.js';
import type { ForeignPool } from './foreign-pool.js';

/**
 * Gives a promise of the same make with the same outcome, which reports the loan before a caller sees the resource. The caller
 * gets the derived promise instead of the original. A handler on the original would hide a rejection that the caller forgets.
 */
export function whenLent(pool: ForeignPool, origin: Origin, acquired: unknown): unknown {
  if (!isThenable(acquired)) return acquired;
  return acquired.then(
    (resource) => {
      pool.lent(resource, origin);
      return resource;
    },
    (error: unknown) => {
      pool.refused();
      throw error;
    },
  );
}
