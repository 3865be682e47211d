/**
 * Runs the callback of a call in the async context of the caller. pg and mysql2 run it in the context of another request: the one that
 * gave the connection back, or the one that opened it. What the callback leases would be a loan of that other request.
 */
import { captureAsyncContext } from '../../core/async-context.js';

type Callback = (this: unknown, ...results: unknown[]) => unknown;

/** Gives the arguments of a call. A callback at their end runs in the current async context. */
export function withCallersContext(args: unknown[]): unknown[] {
  const callback = args.at(-1);
  if (typeof callback !== 'function') return args;
  return [...args.slice(0, -1), inCallersContext(callback as Callback)];
}

/** Gives a callback that runs in the current async context. */
export function inCallersContext(callback: Callback): Callback {
  const runInContext = captureAsyncContext();
  return function (this: unknown, ...results: unknown[]): unknown {
    return runInContext(() => callback.apply(this, results));
  };
}
