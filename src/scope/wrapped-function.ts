/** Makes a function look like the one that it wraps, as `functools.wraps` of Python does. */

/** Any function. */
export type AnyFunction = (...args: never[]) => unknown;

/** Gives `wrapper` the name, the length and the properties of `wrapped`. */
export function wraps<F extends AnyFunction>(wrapper: F, wrapped: AnyFunction): F {
  for (const key of Reflect.ownKeys(wrapped)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue;
    const property = Reflect.getOwnPropertyDescriptor(wrapped, key);
    if (property !== undefined) Reflect.defineProperty(wrapper, key, property);
  }
  return wrapper;
}
