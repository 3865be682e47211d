/**
 * The guard around foreign code that has no caller to tell: listeners, observers, callbacks that the engine starts. An error
 * would end the process, or leave the caller's own work half done, so it is printed instead. So is the rejection of a promise
 * that the foreign code returns.
 */
import { reportIgnoredError } from './ignored-error.js';
import { isThenable, onceSettled } from './thenable.js';

/**
 * Calls `call` and returns what it returns, or `undefined` if it throws. Never throws. `where` says in the printed report what
 * was called.
 */
export function guardedCall<R>(where: string, call: () => R): R | undefined {
  try {
    const result = call();
    if (isThenable(result)) {
      void onceSettled(result, undefined, (error) => reportIgnoredError(where, error));
    }
    return result;
  } catch (error) {
    reportIgnoredError(where, error);
    return undefined;
  }
}
