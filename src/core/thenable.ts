/** Whether `await` would wait for a value. */
export function isThenable<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<PromiseLike<R>>).then === 'function'
  );
}

/**
 * Gives a promise that settles as a foreign promise or thenable does: once, whatever that calls, and with an error if its `then`
 * throws. `Promise.resolve` gives a foreign promise back as it is, with a `then` that an instrumentation may have replaced.
 */
export function following<R>(promise: PromiseLike<R>): Promise<R> {
  return new Promise<R>((resolve) => resolve(promise));
}
