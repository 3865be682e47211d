import type { BusListener, InvalidationBus } from '../../src/memoize/shared/index.js';

/** A bus in memory, which delivers at once. */
export class MemoryBus implements InvalidationBus {
  readonly texts: string[] = [];
  readonly #listeners = new Set<BusListener>();

  async publish(text: string): Promise<void> {
    this.texts.push(text);
    for (const listener of this.#listeners) listener.message(text);
  }

  subscribe(listener: BusListener): Disposable {
    this.#listeners.add(listener);
    listener.connected(true);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
