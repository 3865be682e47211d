/**
 * Errors without a caller: a listener, a finalizer, or a callback that the engine calls between turns has thrown them. They are
 * printed, as Python prints "Exception ignored in". Rethrowing would end the process for a mistake in a callback, and
 * dropping them would hide it.
 */

/** Prints an error that has no caller. `where` says where it was thrown. */
export function reportIgnoredError(where: string, error: unknown): void {
  try {
    console.error(`tenure: error ignored in ${where}:`, error);
  } catch {
    // A console that throws, or an error that cannot be printed, must not do harm a second time.
  }
}
