/**
 * Finds the disposal method of a value as the language does (`GetDisposeMethod` of the TC39 proposal). The method is looked up
 * once, when the value is added, and `null` counts as absent. The errors are of the language's own classes, so that code
 * which moves to the platform's stacks sees no difference.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from '../core/guarded-call.js';
import { isObject } from '../core/is-object.js';

/** A disposal method, called with its resource as `this`. */
export type DisposeMethod = (this: unknown) => unknown;

/** One resource of a stack. */
export interface StackDisposal {
  readonly resource: unknown;
  /** Its disposal method; `undefined` for the resources `null` and `undefined`. */
  readonly method: DisposeMethod | undefined;
}

/** Whether a value has a method that disposes of it. As in the language, `undefined` and `null` are none. */
export function isDisposable(value: unknown): value is object {
  return (
    isObject(value) && [Symbol.asyncDispose, Symbol.dispose].some((key) => hasValue(value, key))
  );
}

function hasValue(target: object, key: symbol): boolean {
  const value: unknown = key in target ? Reflect.get(target, key) : undefined;
  return value !== undefined && value !== null;
}

/** Gives the method that disposes of `resource` synchronously. Throws a `TypeError` if there is none. */
export function syncDisposeMethod(resource: unknown): DisposeMethod {
  const target = objectOf(resource);
  const method = methodOf(target, Symbol.dispose);
  if (method !== undefined) return method;
  const advice = hasValue(target, Symbol.asyncDispose)
    ? ' Its disposal is asynchronous: add it to an asynchronous stack.'
    : '';
  throw new TypeError(`The value has no method [Symbol.dispose].${advice}`);
}

/**
 * Gives the method that disposes of `resource` asynchronously. `callSync` calls a synchronous method, whose result is not awaited.
 * Throws a `TypeError` if there is neither.
 */
export function asyncDisposeMethod(
  resource: unknown,
  callSync: (resource: unknown, method: DisposeMethod) => void = disposeSync,
): DisposeMethod {
  const target = objectOf(resource);
  const method = methodOf(target, Symbol.asyncDispose);
  if (method !== undefined) return method;
  const syncMethod = methodOf(target, Symbol.dispose);
  if (syncMethod === undefined) {
    throw new TypeError('The value has no method [Symbol.asyncDispose] or [Symbol.dispose].');
  }
  return async function (this: unknown): Promise<void> {
    callSync(this, syncMethod);
  };
}

/**
 * Disposes of a value synchronously. Throws what its method throws. The rejection of a promise that the method returns is printed,
 * because no caller awaits it.
 */
export function disposeSync(
  resource: unknown,
  method: DisposeMethod = syncDisposeMethod(resource),
): void {
  const result = Reflect.apply(method, resource, []);
  void guardedCall('a synchronous disposal', () => result);
}

/** Gives `callback`. Throws a `TypeError` if it is no function. */
export function callable<F>(callback: F): F {
  if (typeof callback !== 'function') throw new TypeError('The callback is not a function.');
  return callback;
}

function objectOf(value: unknown): object {
  if (isObject(value)) return value;
  throw new TypeError('The value is not an object: it cannot be disposed of.');
}

function methodOf(target: object, key: symbol): DisposeMethod | undefined {
  const method: unknown = Reflect.get(target, key);
  if (method === undefined || method === null) return undefined;
  if (typeof method !== 'function') throw new TypeError(`The value's ${String(key)} is no method.`);
  return method as DisposeMethod;
}
