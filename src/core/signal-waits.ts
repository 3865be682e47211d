/** Callers that wait for something with a signal. All of them share one listener on it, since Node warns of a leak at the eleventh. */
import { abortReason } from './abort-reason.js';
import { onSettled } from './shared-reaction.js';
import { SignalListeners } from './signal-listeners.js';

type Leave = (reason: unknown) => void;

const waits: SignalListeners<Leave> = /* @__PURE__ */ new SignalListeners<Leave>((leave, reason) =>
  leave(reason),
);

/**
 * Follows `promise` until `signal` aborts. Then rejects with the signal's reason, and calls `onLeave`. So does a signal that throws when
 * a listener is added. A rejection of `promise` that comes later is not unhandled.
 */
export function followUntilAbort<T>(
  promise: PromiseLike<T>,
  signal: AbortSignal,
  onLeave: Leave,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let isSettled = false;
    const leave: Leave = (reason) => {
      stopFollowing();
      waits.remove(signal, leave);
      reject(reason);
      onLeave(reason);
    };
    const settle =
      <V>(end: (value: V) => void) =>
      (value: V): void => {
        isSettled = true;
        waits.remove(signal, leave);
        end(value);
      };
    const stopFollowing = onSettled(promise, settle(resolve), settle(reject));
    if (isSettled) return;
    if (signal.aborted) return leave(abortReason(signal));
    try {
      waits.add(signal, leave);
    } catch (error) {
      leave(error);
    }
  });
}
