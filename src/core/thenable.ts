import { isObject } from './is-object.js';

/**
 * Ends the look-up of `then` at a class whose instances promises resolve to. Without it, each such promise looks along all prototypes.
 */
export function endThenLookUp(prototype: object): void {
  Object.defineProperty(prototype, 'then', { value: undefined });
}

/** Whether `await` would wait for a value. */
export function isThenable<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return isObject(value) && typeof (value as Partial<PromiseLike<R>>).then === 'function';
}

/**
 * Gives a promise that settles as `await promise` does: once, and never by a throw. `Promise.resolve` would give a foreign promise back
 * as it is, with a `then` that an instrumentation may have replaced.
 */
export async function following<R>(promise: PromiseLike<R>): Promise<Awaited<R>> {
  return await promise;
}

/**
 * Calls back when a result has settled, as code after an `await` runs: once, and in a later microtask. The `then` that an
 * instrumentation has put on a promise of the platform is not called: it may call back at once, or throw.
 */
export function onceSettled<R, A = Awaited<R>, B = never>(
  result: R,
  onValue?: ((value: Awaited<R>) => A | PromiseLike<A>) | undefined,
  onError?: ((error: unknown) => B | PromiseLike<B>) | undefined,
): Promise<A | B> {
  return Promise.prototype.then.call(
    Promise.resolve(result),
    onValue as (value: unknown) => unknown,
    onError,
  ) as Promise<A | B>;
}
