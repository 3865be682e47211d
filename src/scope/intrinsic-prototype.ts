/**
 * The prototype of an instance whose `new.target` has none, as the language specifies it for its own classes: that of the class, and
 * not `Object.prototype`.
 */
import { isObject } from '../core/is-object.js';

/** Gives `made` the prototype `intrinsic` if the `prototype` of `target` is no object. */
export function useIntrinsicPrototype(
  made: object,
  target: { readonly prototype: unknown },
  intrinsic: object,
): void {
  if (!isObject(target.prototype)) Reflect.setPrototypeOf(made, intrinsic);
}
