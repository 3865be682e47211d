/**
 * SuppressedError as the TC39 proposal specifies it, for platforms without one. It is a function and not a class, since it
 * can be called without `new`.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { useIntrinsicPrototype } from './intrinsic-prototype.js';

/** Our own SuppressedError. */
export const OwnSuppressedError: SuppressedErrorConstructor = function SuppressedError(
  error: unknown,
  suppressed: unknown,
  message?: string,
): Error {
  const made: Error = Reflect.construct(
    Error,
    message === undefined ? [] : [message],
    new.target ?? OwnSuppressedError,
  );
  useIntrinsicPrototype(made, new.target ?? OwnSuppressedError, OwnSuppressedError.prototype);
  Object.defineProperties(made, { error: hidden(error), suppressed: hidden(suppressed) });
  return made;
} as unknown as SuppressedErrorConstructor;

Object.setPrototypeOf(OwnSuppressedError, Error);
Object.defineProperties(OwnSuppressedError, {
  name: { value: 'SuppressedError', configurable: true },
  length: { value: 3, configurable: true },
  prototype: {
    value: Object.create(Error.prototype, {
      constructor: hidden(OwnSuppressedError),
      name: hidden('SuppressedError'),
      message: hidden(''),
    }),
    writable: false,
  },
});

function hidden(value: unknown): PropertyDescriptor {
  return { value, writable: true, enumerable: false, configurable: true };
}
