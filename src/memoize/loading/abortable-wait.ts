/** A wait that its caller can leave. */

/** Follows `promise` until `signal` aborts. Then the wait rejects with the signal's reason, and calls `onLeave`. */
export function abortableWait<T>(
  promise: PromiseLike<T>,
  signal: AbortSignal,
  onLeave: (reason: unknown) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const leave = (): void => {
      signal.removeEventListener('abort', leave);
      reject(signal.reason);
      onLeave(signal.reason);
    };
    promise.then(
      (value) => {
        signal.removeEventListener('abort', leave);
        resolve(value);
      },
      (error: unknown) => {
        signal.removeEventListener('abort', leave);
        reject(error);
      },
    );
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave);
  });
}
