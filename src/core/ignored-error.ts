/**
 * Errors that nobody can be given: thrown by a listener, by a finalizer, by a callback that an engine calls between turns.
 * Rethrowing would end the process for a mistake in a callback, and swallowing would hide it, so they are printed, as
 * Python prints "Exception ignored in".
 */

/** Reports an error that has no caller, and goes on. */
export function reportIgnoredError(where: string, error: unknown): void {
  console.error(`tenure: error ignored in ${where}:`, error);
}
