/**
 * Tells whether a function can use `this`. If it can, two objects with one memoized method must not share its results. If it
 * cannot, the receiver must not be part of the key: `users.byId.delete(7)` has to find the result that `users.byId(7)` stored.
 */
import type { AnyFn } from './any-fn.js';

/** Matches the source of an arrow function: an optional `async`, then its parameter list or its one parameter. */
const ARROW = /^(?:async\b\s*)?(?:\(|[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*\s*=>)/u;

/** Whether the function can use `this`: false only for arrow functions and bound functions. */
export function seesReceiver(fn: AnyFn): boolean {
  if (Object.hasOwn(fn, 'prototype')) return true;
  const source = Function.prototype.toString.call(fn);
  if (source.endsWith('{ [native code] }')) return !fn.name.startsWith('bound ');
  return fn.name === 'async' || !ARROW.test(source);
}
