/**
 * Waits for a promise that can be left. What `then` adds to a promise stays on it until the promise settles, so callers that leave a
 * promise which never settles would pile up. All waits for one promise share one reaction, and a wait that is left is removed.
 */

/** What one wait does when the promise settles. */
interface Wait<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** The waits for each promise that has not settled. */
const waitsByPromise: WeakMap<
  PromiseLike<unknown>,
  Set<Wait<never>>
> = /* @__PURE__ */ new WeakMap();

/** Calls `resolve` or `reject` when `promise` settles. The result removes the wait. Throws what `then` throws. O(1). */
export function onSettled<T>(
  promise: PromiseLike<T>,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): () => void {
  const wait: Wait<T> = { resolve, reject };
  const known = waitsByPromise.get(promise) as Set<Wait<T>> | undefined;
  const waits = known ?? new Set<Wait<T>>();
  waits.add(wait);
  if (known === undefined) listen(promise, waits);
  return () => void waits.delete(wait);
}

function listen<T>(promise: PromiseLike<T>, waits: Set<Wait<T>>): void {
  waitsByPromise.set(promise, waits);
  const end = (tell: (wait: Wait<T>) => void): void => {
    if (waitsByPromise.get(promise) === waits) waitsByPromise.delete(promise);
    for (const wait of waits) {
      waits.delete(wait);
      tell(wait);
    }
  };
  try {
    promise.then(
      (value) => end((wait) => wait.resolve(value)),
      (error: unknown) => end((wait) => wait.reject(error)),
    );
  } catch (error) {
    waitsByPromise.delete(promise);
    throw error;
  }
}
