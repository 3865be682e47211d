/**
 * Whether `this` can matter to a function. Where it can, two objects that share a memoized method must not share its
 * results. Where it cannot, telling receivers apart would only hide entries: `users.byId.delete(7)` has to find what
 * `users.byId(7)` stored.
 */
import type { AnyFn } from './any-fn.js';

/** An arrow function begins with its parameter list or its one parameter, whatever stands before it being `async`. */
const ARROW = /^(?:async\b\s*)?(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*\s*=>)/u;

/** False only if the function is certainly an arrow function or bound. */
export function seesReceiver(fn: AnyFn): boolean {
  if (Object.hasOwn(fn, 'prototype')) return true;
  const source = Function.prototype.toString.call(fn);
  if (source.endsWith('{ [native code] }')) return !fn.name.startsWith('bound ');
  return fn.name === 'async' || !ARROW.test(source);
}
