/**
 * Weak references to bound methods, after `weakref.WeakMethod` of Python. A bound function holds its object. A plain reference to
 * it either keeps the object alive, or is dead at once, since no other code holds that very function.
 */

import { printAs } from '../core/inspect.js';
import { isObject } from '../core/is-object.js';
import { aFunction, checkArgument, type OptionCheck } from '../core/options.js';
import { type Ref, ref } from './ref.js';

/** Any function. */
type AnyMethod = (...args: never[]) => unknown;

/** The names of the methods of `T`. */
export type MethodKeyOf<T> = {
  [N in keyof T]-?: T[N] extends (...args: never[]) => unknown ? N : never;
}[keyof T];

/** A weak reference to a method of an object. Made by {@link weakMethod}. */
export class WeakMethod<F> {
  readonly #target: Ref<object>;
  readonly #method: Ref<AnyMethod>;
  #onDeath: ((method: WeakMethod<F>) => void) | undefined;

  /** @internal */
  constructor(target: object, method: AnyMethod, onDeath?: (method: WeakMethod<F>) => void) {
    this.#onDeath = onDeath;
    if (onDeath === undefined) {
      this.#target = ref(target);
      this.#method = ref(method);
    } else {
      const died = (): unknown => this.#died();
      this.#target = ref(target, died);
      this.#method = ref(method, died);
    }
  }

  /**
   * Gives the method, bound to its object, and the same function as long as the object lives. Gives `undefined` once V8 has
   * collected the object or the method. What was given stays alive until the current turn of the event loop ends.
   */
  deref(): F | undefined {
    const target = this.#target.deref();
    const method = this.#method.deref();
    return target === undefined || method === undefined
      ? undefined
      : (boundOnce(target, method) as F);
  }

  #died(): unknown {
    const onDeath = this.#onDeath;
    this.#onDeath = undefined;
    return onDeath?.(this);
  }

  static {
    printAs(WeakMethod.prototype, (self, show) => {
      const method = self.deref();
      return method === undefined ? 'WeakMethod (dead)' : `WeakMethod (${show(method)})`;
    });
  }
}

/** The bound functions by object and method. Each lives as long as its object, whether or not a caller holds it. */
const boundOf = new WeakMap<object, WeakMap<AnyMethod, AnyMethod>>();

/**
 * Gives a weak reference to the method `name` of `target`. `deref()` gives the method, bound to `target`, while both live. Use it
 * for a callback that must not keep its object alive.
 *
 * The method is looked up now. Replacing it on the object later has no effect, other than that the old one may die.
 *
 * `onDeath` is called once with the reference, some turns after V8 has collected the object or the method. The caller has to
 * keep the reference until then. `onDeath` must not reach the object.
 *
 * O(1).
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` is no object, if it has no such method, or if
 * `onDeath` is no function.
 *
 * @example
 * ```ts
 * import { weakMethod } from 'tenure/weak';
 *
 * class Chart {
 *   drawn = 0;
 *   draw(times: number) {
 *     this.drawn += times;
 *   }
 * }
 * const chart = new Chart();
 * const draw = weakMethod(chart, 'draw');
 * draw.deref()?.(2);
 * chart.drawn; // => 2
 * draw.deref() === draw.deref(); // => true
 * ```
 */
export function weakMethod<T extends object, N extends MethodKeyOf<T>>(
  target: T,
  name: N,
  onDeath?: (method: WeakMethod<T[N]>) => void,
): WeakMethod<T[N]> {
  checkArgument('weakMethod', 'target', target, anObject);
  const method: unknown = Reflect.get(target, name);
  checkArgument('weakMethod', String(name), method, aFunction);
  if (onDeath !== undefined) checkArgument('weakMethod', 'onDeath', onDeath, aFunction);
  return new WeakMethod<T[N]>(target, method as AnyMethod, onDeath);
}

const anObject: OptionCheck = (value) => (isObject(value) ? undefined : 'an object');

function boundOnce(target: object, method: AnyMethod): AnyMethod {
  let methods = boundOf.get(target);
  if (methods === undefined) {
    methods = new WeakMap();
    boundOf.set(target, methods);
  }
  let bound = methods.get(method);
  if (bound === undefined) {
    bound = method.bind(target);
    methods.set(method, bound);
  }
  return bound;
}
