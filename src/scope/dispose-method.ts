/// <reference lib="esnext.disposable" preserve="true" />
/**
 * How the language finds out how a value is to be disposed of (`GetDisposeMethod` of the TC39 proposal): the method is
 * looked up once, when the value is handed over, and `null` counts as absent. The errors are the language's own kinds,
 * so that code which moves to the platform's stacks sees no difference.
 */

/** A disposal method, called with its resource as `this`. */
export type DisposeMethod = (this: unknown) => unknown;

/** What a stack keeps of a resource; one without a method stands for `null` or `undefined`. */
export interface Disposal {
  readonly resource: unknown;
  readonly method: DisposeMethod | undefined;
}

/** The method with which `resource` is disposed of synchronously. */
export function syncDisposeMethod(resource: unknown): DisposeMethod {
  const method = methodOf(objectOf(resource), Symbol.dispose);
  if (method === undefined) throw new TypeError('The value has no method [Symbol.dispose].');
  return method;
}

/** The method with which `resource` is disposed of asynchronously; what a synchronous one returns is not awaited. */
export function asyncDisposeMethod(resource: unknown): DisposeMethod {
  const target = objectOf(resource);
  const method = methodOf(target, Symbol.asyncDispose);
  if (method !== undefined) return method;
  const syncMethod = methodOf(target, Symbol.dispose);
  if (syncMethod === undefined) {
    throw new TypeError('The value has no method [Symbol.asyncDispose] or [Symbol.dispose].');
  }
  return async function disposeSync(this: unknown): Promise<void> {
    Reflect.apply(syncMethod, this, []);
  };
}

/** `callback`, or the language's own error when it cannot be called. */
export function callable<F>(callback: F): F {
  if (typeof callback !== 'function') throw new TypeError('The callback is not a function.');
  return callback;
}

function objectOf(value: unknown): object {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return value;
  throw new TypeError('The value is not an object: it cannot be disposed of.');
}

function methodOf(target: object, key: symbol): DisposeMethod | undefined {
  const method: unknown = Reflect.get(target, key);
  if (method === undefined || method === null) return undefined;
  if (typeof method !== 'function') throw new TypeError(`The value's ${String(key)} is no method.`);
  return method as DisposeMethod;
}
