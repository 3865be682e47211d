/** Why a signal aborted. Ponyfills from before the reason was standardised abort without one: React Native, abort-controller. */

/**
 * Gives the reason of an aborted signal, or an `AbortError` if the signal has none: no caller is rejected with `undefined`. Never throws:
 * what the signal throws is the cause of the `AbortError`.
 */
export function abortReason(signal: AbortSignal): unknown {
  const options: ErrorOptions = {};
  try {
    const reason: unknown = signal.reason;
    if (reason !== undefined) return reason;
  } catch (error) {
    options.cause = error;
  }
  const error = new Error('The signal aborted, and gave no reason.', options);
  error.name = 'AbortError';
  return error;
}
