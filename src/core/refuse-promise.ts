/** Refuses a promise where a value is needed at once. */
import { InvalidArgumentError } from './errors.js';
import { following, isThenable } from './thenable.js';

/** Throws {@link InvalidArgumentError} with `message` if `value` is a promise, whose rejection then ends no process. */
export function refusePromise(value: unknown, message: string): void {
  if (!isThenable(value)) return;
  following(value).catch(() => {});
  throw new InvalidArgumentError(message);
}
