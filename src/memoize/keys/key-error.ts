/** The check of what the option `key` returns. */
import { InvalidArgumentError } from '../../core/errors.js';
import { isThenable, onceSettled } from '../../core/thenable.js';

/** The error of a key that no later call can equal, so that every call would be a miss; `undefined` for any other. */
export function keyError(key: unknown): Error | undefined {
  if (typeof key !== 'object' || key === null) return undefined;
  const isPromise = isThenable(key);
  if (!isPromise && !Array.isArray(key)) return undefined;
  if (isPromise) void onceSettled(key, undefined, () => {});
  return new InvalidArgumentError(
    `memoize: \`key\` returned ${isPromise ? 'a promise' : 'an array'}, which equals no other. Return a string or a number, and not from an async function.`,
  );
}
