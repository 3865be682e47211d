/**
 * One listener for all who wait on one signal. A request's signal is often shared by everything that it starts, and
 * Node warns of a leak at the eleventh listener.
 */
import type { Waiter } from './waiter.js';

/** Those who wait on one signal. */
export class SharedSignal<T> {
  readonly waiters = new Set<Waiter<T>>();
  readonly #onAbort: (waiter: Waiter<T>) => void;

  constructor(onAbort: (waiter: Waiter<T>) => void) {
    this.#onAbort = onAbort;
  }

  handleEvent(): void {
    for (const waiter of [...this.waiters]) this.#onAbort(waiter);
  }
}
