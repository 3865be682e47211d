/** Why a signal aborted. Ponyfills from before the reason was standardised abort without one: React Native, abort-controller. */

/** Gives the reason of an aborted signal, or an `AbortError` if the signal has none: no caller is rejected with `undefined`. */
export function abortReason(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason;
  if (reason !== undefined) return reason;
  const error = new Error('The signal aborted, and gave no reason.');
  error.name = 'AbortError';
  return error;
}
