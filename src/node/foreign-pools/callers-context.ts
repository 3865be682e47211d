/**
 * Runs the callback of a call in the async context of the caller. pg and mysql2 run it in the context of another request: the one that
 * gave the connection back, or the one that opened it. What the callback leases would be a loan of that other request.
 *
 * An AsyncResource takes a tenth of a microsecond. `AsyncLocalStorage.snapshot` takes up to 100 times as long before Node 24.
 */
import { AsyncResource } from 'node:async_hooks';
import { classPatch, type PatchedMethods } from './patched-methods.js';

type Callback = (this: unknown, ...results: unknown[]) => unknown;

/** Gives the arguments of a call. A callback at their end runs in the current async context. */
export function withCallersContext(args: unknown[]): unknown[] {
  const callback = args.at(-1);
  if (typeof callback !== 'function') return args;
  return [...args.slice(0, -1), inCallersContext(callback as Callback)];
}

/** Gives a callback that runs in the current async context. */
export function inCallersContext(callback: Callback): Callback {
  const caller = new AsyncResource('TENURE');
  return function (this: unknown, ...results: unknown[]): unknown {
    return caller.runInAsyncScope(callback, this, ...results);
  };
}

/** Gives a function that patches the class of a connection, once: the callbacks of these methods run in the async contexts of their callers. */
export function callbackPatch(
  methods: PatchedMethods,
  names: readonly string[],
): (connection: unknown) => void {
  return classPatch(methods, names, (original) => {
    return function (this: object, ...args: unknown[]): unknown {
      return original.apply(this, withCallersContext(args));
    };
  });
}
