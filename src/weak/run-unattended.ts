/**
 * Callbacks that the engine starts between turns, or at exit. There is no caller to throw to: an error there would end
 * the process, so it is printed instead, and so is the rejection of a promise that nobody else can get hold of.
 */
import { reportIgnoredError } from '../core/ignored-error.js';

/** Calls `callback`; what it throws or rejects with is printed, and it goes on. */
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
