/** Functions that wrap others, and look like them. */
import { aFunction, checkArgument } from '../core/options.js';

/** Any function. */
export type AnyFunction = (...args: never[]) => unknown;

/** Gives `wrapper` the name, the length and the properties of `wrapped`, as `functools.wraps` of Python does. */
export function wraps<F extends AnyFunction>(wrapper: F, wrapped: AnyFunction): F {
  for (const key of Reflect.ownKeys(wrapped)) {
    if (key === 'prototype' || key === 'arguments' || key === 'caller') continue;
    const property = Reflect.getOwnPropertyDescriptor(wrapped, key);
    if (property !== undefined) Reflect.defineProperty(wrapper, key, property);
  }
  return wrapper;
}

/** Makes the method `around` of a context manager: each call of a decorated function runs in a context that `enter` begins. */
export function aroundIn<A extends unknown[]>(
  enter: (...args: A) => { run(block: () => unknown): unknown },
): (...args: A) => <F extends AnyFunction>(fn: F) => F {
  return (...args) =>
    <F extends AnyFunction>(fn: F): F => {
      checkArgument('around', 'fn', fn, aFunction);
      const wrapper = function (this: unknown, ...parameters: Parameters<F>): unknown {
        return enter(...args).run(() => Reflect.apply(fn, this, parameters));
      };
      return wraps(wrapper, fn) as F;
    };
}
