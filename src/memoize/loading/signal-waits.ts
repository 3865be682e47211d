/** Callers that wait for a load with a signal. All callers with one signal share one listener on it. */
import { abortReason } from '../../core/abort-reason.js';
import { SignalListeners } from '../../core/signal-listeners.js';

type Leave = (reason: unknown) => void;

/** The waits of one cache's callers. */
export class SignalWaits {
  readonly #listeners = new SignalListeners<Leave>((leave, reason) => leave(reason));

  /**
   * Follows `promise` until `signal` aborts. Then rejects with the signal's reason, and calls `onLeave`. So does a signal that
   * throws when a listener is added.
   */
  follow<T>(promise: PromiseLike<T>, signal: AbortSignal, onLeave: Leave): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const leave: Leave = (reason) => {
        this.#listeners.remove(signal, leave);
        reject(reason);
        onLeave(reason);
      };
      if (signal.aborted) return leave(abortReason(signal));
      try {
        this.#listeners.add(signal, leave);
      } catch (error) {
        return leave(error);
      }
      promise.then(
        (value) => {
          this.#listeners.remove(signal, leave);
          resolve(value);
        },
        (error: unknown) => {
          this.#listeners.remove(signal, leave);
          reject(error);
        },
      );
    });
  }
}
