/**
 * Callbacks that run in the async context of their caller. pg and mysql2 call them in that of whoever gave the connection back, or of
 * the request that opened it. What such a callback takes would be a loan of that request, which may have ended.
 */
import { captureAsyncContext } from '../../core/async-context.js';

type Callback = (this: unknown, ...results: unknown[]) => unknown;

/** Gives the arguments of a call. A callback at their end runs in the current async context. */
export function withCallersContext(args: readonly unknown[]): unknown[] {
  const callback = args.at(-1);
  if (typeof callback !== 'function') return [...args];
  return [...args.slice(0, -1), inCallersContext(callback as Callback)];
}

/** Gives a callback that runs in the current async context. */
export function inCallersContext(callback: Callback): Callback {
  const runInContext = captureAsyncContext();
  return function (this: unknown, ...results: unknown[]): unknown {
    return runInContext(() => callback.apply(this, results));
  };
}
