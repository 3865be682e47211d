/** The error of a method that is passed without its object, as in `finally(lease.release)`. */
import { InvalidArgumentError } from './errors.js';

/** Throws: a method of a lease was called without the lease. It has no argument, so that a release stays small enough for V8 to inline. */
export function withoutLease(): never {
  throw without('lease');
}

/** Throws: a method of a view was called without the view. */
export function withoutView(): never {
  throw without('view');
}

function without(object: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `A method of a ${object} was called without the ${object}. Pass a function that calls it: \`() => ${object}.release()\`.`,
  );
}
