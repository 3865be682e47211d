/** Whether `await` would wait for a value. */
export function isThenable<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<PromiseLike<R>>).then === 'function'
  );
}

/**
 * Gives a promise that settles as `await promise` does: once, and never by a throw. `Promise.resolve` would give a foreign promise back
 * as it is, with a `then` that an instrumentation may have replaced.
 */
export async function following<R>(promise: PromiseLike<R>): Promise<Awaited<R>> {
  return await promise;
}
