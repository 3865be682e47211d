/**
 * Runs callbacks that have no caller: the engine starts them between turns, or at exit. An error would end the process, so it
 * is printed instead. So is the rejection of a promise that the callback returns.
 */
import { reportIgnoredError } from '../core/ignored-error.js';

/** Calls `callback`. Never throws: prints an error or a rejection, with `where` it came from. */
export function runUnattended(where: string, callback: () => unknown): void {
  try {
    const result = callback();
    if (result instanceof Promise) {
      result.catch((error: unknown) => reportIgnoredError(where, error));
    }
  } catch (error) {
    reportIgnoredError(where, error);
  }
}
