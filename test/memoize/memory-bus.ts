import type { BusListener, InvalidationBus } from '../../src/memoize/shared/index.js';

/** A bus in memory, which delivers at once. */
export class MemoryBus implements InvalidationBus {
  readonly texts: string[] = [];
  readonly #listeners = new Set<BusListener>();

  async publish(text: string): Promise<void> {
    this.texts.push(text);
    for (const listener of this.#listeners) listener.message(text);
  }

  /** Tells all listeners whether they are connected. */
  connect(state: boolean): void {
    for (const listener of this.#listeners) listener.connected(state);
  }

  /** Tells all listeners that messages may have been lost. */
  miss(): void {
    for (const listener of this.#listeners) listener.missed();
  }

  subscribe(listener: BusListener): Disposable {
    this.#listeners.add(listener);
    listener.connected(true);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
