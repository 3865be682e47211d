/** The error of a method that is passed without its object. */
import { InvalidArgumentError } from './errors.js';

/** Throws: `release` was called without its lease or view, as in `finally(lease.release)`. */
export function without(object: 'lease' | 'view'): never {
  throw new InvalidArgumentError(
    `A method of a ${object} was called without the ${object}. Pass a function that calls it: \`() => ${object}.release()\`.`,
  );
}
