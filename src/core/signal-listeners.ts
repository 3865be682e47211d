/**
 * One `abort` listener for each AbortSignal, however many waits depend on the signal. All work of a request often shares one
 * signal, and Node warns of a leak at the eleventh listener.
 */
import { abortReason } from './abort-reason.js';
import { guardedCall } from './guarded-call.js';

/** The waits that depend on one signal. */
class SharedListener<W> {
  readonly waits = new Set<W>();
  readonly #signal: AbortSignal;
  readonly #onAbort: (wait: W, reason: unknown) => void;

  constructor(signal: AbortSignal, onAbort: (wait: W, reason: unknown) => void) {
    this.#signal = signal;
    this.#onAbort = onAbort;
  }

  handleEvent(): void {
    const reason = abortReason(this.#signal);
    for (const wait of [...this.waits]) if (this.waits.has(wait)) this.#onAbort(wait, reason);
  }
}

/** Waits by the signal that ends them. */
export class SignalListeners<W> {
  readonly #listeners = new Map<AbortSignal, SharedListener<W>>();
  readonly #onAbort: (wait: W, reason: unknown) => void;

  /** `onAbort` is called for each wait when its signal aborts, unless the wait was removed before. */
  constructor(onAbort: (wait: W, reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  /** Makes a wait depend on a signal, which must not have aborted. Throws what the signal throws, and then adds nothing. O(1). */
  add(signal: AbortSignal, wait: W): void {
    let listener = this.#listeners.get(signal);
    if (listener === undefined) {
      listener = new SharedListener(signal, this.#onAbort);
      listener.waits.add(wait);
      this.#listeners.set(signal, listener);
      try {
        signal.addEventListener('abort', listener, { once: true });
      } catch (error) {
        this.#listeners.delete(signal);
        throw error;
      }
    } else listener.waits.add(wait);
  }

  /** Removes a wait that has ended. With the last wait of a signal the listener is removed from it. O(1). */
  remove(signal: AbortSignal, wait: W): void {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return;
    listener.waits.delete(wait);
    if (listener.waits.size > 0) return;
    this.#listeners.delete(signal);
    guardedCall("a signal's `removeEventListener`", () =>
      signal.removeEventListener('abort', listener),
    );
  }
}
