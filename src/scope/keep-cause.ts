/**
 * Keeps the earlier of two errors. When a clean-up fails after an error, the caller gets the later error, and JavaScript drops
 * the earlier one. Python keeps it as `__context__`. Here it becomes the `cause` of the later error.
 */
import { isError } from '../core/is-error.js';

/**
 * Gives `later`, with `earlier` as its cause unless it has one or is itself among the causes of `earlier`. Never throws, since its caller
 * has further resources to end: an error that cannot be read stays as it is.
 */
export function keepCause(later: unknown, earlier: unknown): unknown {
  try {
    if (!isError(later) || 'cause' in later) return later;
    const causes = causesOf(earlier);
    if (causes.has(later)) return later;
    const cause = { value: earlier, writable: true, configurable: true };
    if (Reflect.defineProperty(later, 'cause', cause))
      ends.set(later, [...causes].findLast(isError));
  } catch {
    // A proxy that throws.
  }
  return later;
}

/**
 * The last errors of the chains of causes that were made here. An error without a cause can only be the last one of a chain, so the search
 * for it skips the others: the errors of a stack whose members all fail take linear time.
 */
const ends = new WeakMap<object, Error | undefined>();

/** Gives the chain of causes of an error as far as it matters. An error of it must not get `error` as its cause: that would be a circle. */
function causesOf(error: unknown): Set<unknown> {
  const causes = new Set<unknown>();
  for (let link = error; !causes.has(link); link = causeOf(link)) causes.add(link);
  return causes;
}

/** Gives the cause of an error; the value itself if it has none that can be read. */
function causeOf(error: unknown): unknown {
  try {
    return isError(error) ? (ends.get(error) ?? error.cause) : error;
  } catch {
    return error; // A getter that throws.
  }
}
