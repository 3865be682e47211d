/** A wait that its caller can leave. */
import { abortReason } from './abort-reason.js';
import { guardedCall } from './guarded-call.js';
import { onSettled } from './shared-reaction.js';

/**
 * Follows `promise` until `signal` aborts. Then it rejects with the signal's reason, and calls `onLeave`. Throws what the signal
 * throws when a listener is added.
 */
export function abortableWait<T>(
  promise: PromiseLike<T>,
  signal: AbortSignal,
  onLeave: (reason: unknown) => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stopListening = (): void => {
      guardedCall("a signal's `removeEventListener`", () =>
        signal.removeEventListener('abort', leave),
      );
    };
    let stopFollowing: (() => void) | undefined;
    const leave = (): void => {
      stopFollowing?.();
      stopListening();
      const reason = abortReason(signal);
      reject(reason);
      onLeave(reason);
    };
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave);
    stopFollowing = onSettled(
      promise,
      (value) => {
        stopListening();
        resolve(value);
      },
      (error) => {
        stopListening();
        reject(error);
      },
    );
  });
}
