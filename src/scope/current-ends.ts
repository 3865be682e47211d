/**
 * The disposals that the current code is part of. Code that a `dispose` calls cannot wait for that disposal. They travel in the async
 * context, so code after an `await` is recognised, too. Without an async context, as in a browser, only code before the first `await` is.
 *
 * The creation of a shared value has put the async context to use before, so this makes no promise of the process slower.
 */
import { type AsyncVariable, createAsyncVariable } from '../core/async-context.js';

/** A disposal that runs, and the one whose code has caused it. */
interface CurrentEnd {
  readonly what: object;
  readonly outer: CurrentEnd | undefined;
}

const current: AsyncVariable<CurrentEnd> = /* @__PURE__ */ createAsyncVariable();

/** Calls `end`, which ends `what`. */
export function runAsEndOf<R>(what: object, end: () => R): R {
  return current.run({ what, outer: current.get() }, end);
}

/** Gives what the current code ends, across its awaits. */
export function currentEnds(): ReadonlySet<object> {
  const ends = new Set<object>();
  for (let end = current.get(); end !== undefined; end = end.outer) ends.add(end.what);
  return ends;
}
