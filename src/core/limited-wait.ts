/**
 * A wait that its caller leaves by a signal or at a time limit. What it waits for may never settle, and the signal may be that of a whole
 * service. So whichever ends the wait takes the caller from both.
 */
import type { Clock } from './clock.js';
import { startLimit } from './limit-timer.js';
import { followUntilAbort } from './signal-waits.js';

/** How long a caller waits. */
export interface WaitLimits {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** The time limit, in milliseconds; Infinity for none. */
  readonly timeoutMillis: number;
}

/**
 * Follows `promise` until the signal aborts, or the time is over. Then rejects with the signal's reason, or with `timeoutError()`, and
 * calls `onLeave`. Rejects with what the clock throws.
 */
export function followWithin<T>(
  promise: Promise<T>,
  { clock, signal, timeoutMillis }: WaitLimits,
  timeoutError: () => unknown,
  onLeave: () => void = () => {},
): Promise<T> {
  if (timeoutMillis === Number.POSITIVE_INFINITY) {
    return signal === undefined ? promise : followUntilAbort(promise, signal, onLeave);
  }
  const timeout = new AbortController();
  let cancel: (() => void) | undefined;
  const end = (): void => cancel?.();
  const leave = (): void => {
    end();
    onLeave();
  };
  const timed = followUntilAbort(promise, timeout.signal, leave);
  const wait =
    signal === undefined
      ? timed
      : followUntilAbort(timed, signal, (reason) => timeout.abort(reason));
  wait.then(end, end);
  try {
    cancel = startLimit(clock, timeoutMillis, () => timeout.abort(timeoutError()));
  } catch (error) {
    timeout.abort(error);
  }
  return wait;
}
