/**
 * One `abort` listener for each AbortSignal, however many waits depend on the signal. All work of a request often shares one
 * signal, and Node warns of a leak at the eleventh listener.
 */

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
    const { reason } = this.#signal;
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

  /** Makes a wait depend on a signal, which must not have aborted. O(1). */
  add(signal: AbortSignal, wait: W): void {
    let listener = this.#listeners.get(signal);
    if (listener === undefined) {
      listener = new SharedListener(signal, this.#onAbort);
      this.#listeners.set(signal, listener);
      signal.addEventListener('abort', listener, { once: true });
    }
    listener.waits.add(wait);
  }

  /** Removes a wait that has ended. With the last wait of a signal the listener is removed from it. O(1). */
  remove(signal: AbortSignal, wait: W): void {
    const listener = this.#listeners.get(signal);
    if (listener === undefined) return;
    listener.waits.delete(wait);
    if (listener.waits.size > 0) return;
    this.#listeners.delete(signal);
    signal.removeEventListener('abort', listener);
  }
}
