/** The error of a method of a lease that is passed without its lease. */
import { InvalidArgumentError } from './errors.js';

/** Throws: a method was called without its lease, as in `finally(lease.release)`. */
export function withoutLease(): never {
  throw new InvalidArgumentError(
    'A method of a lease was called without the lease. Pass a function that calls it: `() => lease.release()`.',
  );
}
