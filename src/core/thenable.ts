/** Whether `await` would wait for a value. */
export function isThenable<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as Partial<PromiseLike<R>>).then === 'function'
  );
}
