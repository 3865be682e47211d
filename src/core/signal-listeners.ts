/**
 * One `abort` listener for each AbortSignal, however many waits depend on the signal. All work of a request often shares one
 * signal, and Node warns of a leak at the eleventh listener.
 */
import { abortReason } from './abort-reason.js';
import { guardedCall } from './guarded-call.js';
import { sourcesOf } from './signal-sources.js';

type OnAbort<W> = (wait: W, reason: unknown) => void;

/** The waits that depend on one signal, in any component, and what is called for each. */
class SharedListener {
  readonly waits = new Map<unknown, OnAbort<never>>();
  readonly #signal: AbortSignal;
  /** Held as long as the listener. */
  readonly sources: unknown;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.sources = sourcesOf(signal);
  }

  /** A function, because `abortcontroller-polyfill` takes no object with `handleEvent`. */
  readonly onAbort = (): void => {
    const reason = abortReason(this.#signal);
    for (const wait of [...this.waits.keys()]) this.waits.get(wait)?.(wait as never, reason);
  };
}

/**
 * The listeners of all components: the pools of a keyed pool, and others, may depend on one signal. A signal is in it while a wait depends
 * on it. It is weak, since V8 keeps the former keys of a `Map` that changes all the time until it collects old objects.
 */
const listeners = new WeakMap<AbortSignal, SharedListener>();

/** Waits of one component by the signal that ends them. */
export class SignalListeners<W> {
  readonly #onAbort: OnAbort<W>;

  /** `onAbort` is called for each wait when its signal aborts, unless the wait was removed before. */
  constructor(onAbort: OnAbort<W>) {
    this.#onAbort = onAbort;
  }

  /** Makes a wait depend on a signal, which must not have aborted. Throws what the signal throws, and then adds nothing. O(1). */
  add(signal: AbortSignal, wait: W): void {
    let listener = listeners.get(signal);
    if (listener === undefined) {
      listener = new SharedListener(signal);
      listener.waits.set(wait, this.#onAbort);
      listeners.set(signal, listener);
      try {
        signal.addEventListener('abort', listener.onAbort, { once: true });
      } catch (error) {
        listeners.delete(signal);
        throw error;
      }
    } else listener.waits.set(wait, this.#onAbort);
  }

  /** Removes a wait that has ended. With the last wait of a signal the listener is removed from it. O(1). */
  remove(signal: AbortSignal, wait: W): void {
    const listener = listeners.get(signal);
    if (listener === undefined || !listener.waits.delete(wait) || listener.waits.size > 0) return;
    listeners.delete(signal);
    guardedCall("a signal's `removeEventListener`", () =>
      signal.removeEventListener('abort', listener.onAbort),
    );
  }
}
