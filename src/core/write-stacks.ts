/** Frees what the stacks of lasting errors hold. */
import { isError } from './is-error.js';

/** The most errors of one chain of causes. */
const MAX_CAUSES = 10;

/**
 * Has an error and its causes write their stacks down, for a holder that keeps the error. V8 makes the text of a stack at its first use. Until
 * then it holds the receivers of all calls in the stack, and with them, in Node 22 and earlier, the AsyncLocalStorage contexts. Costs some
 * 7 µs for each error. Never throws.
 */
export function writeStacks(error: unknown): void {
  let each = error;
  try {
    for (let at = 0; at < MAX_CAUSES && isError(each); at++) {
      void each.stack;
      each = each.cause;
    }
  } catch {
    // A getter of the error has thrown.
  }
}
