/** The listeners of a connection that is not lent. Those that a holder adds must not hear what the next holder causes. */
import type { EventEmitter } from 'node:events';

type Listener = (...args: unknown[]) => void;

/** The listeners that a connection has at one moment: before its first loan. */
export class OwnListeners {
  readonly #emitter: EventEmitter;
  readonly #own: ReadonlyMap<string | symbol, readonly unknown[]>;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
    this.#own = listenersOf(emitter);
  }

  /** Removes the listeners that were added since. */
  removeOthers(): void {
    for (const [event, listeners] of listenersOf(this.#emitter)) {
      const own = this.#own.get(event) ?? [];
      for (const listener of listeners) {
        if (!own.includes(listener)) this.#emitter.off(event, listener as Listener);
      }
    }
  }
}

function listenersOf(emitter: EventEmitter): Map<string | symbol, readonly unknown[]> {
  return new Map(emitter.eventNames().map((event) => [event, emitter.rawListeners(event)]));
}
