/** The listeners of a connection that is not lent. Those that a holder adds must not hear what the next holder causes. */
import type { EventEmitter } from 'node:events';

type Listener = (...args: unknown[]) => void;

/** The listeners that a connection has at one moment: before its first loan. */
export class InitialListeners {
  readonly #emitter: EventEmitter;
  readonly #own: ReadonlyMap<string | symbol, readonly Listener[]>;

  constructor(emitter: EventEmitter) {
    this.#emitter = emitter;
    this.#own = listenersOf(emitter);
  }

  /** Removes the listeners that were added since, and adds those that were removed: without one for errors, a break ends the process. */
  restore(): void {
    const emitter = this.#emitter;
    for (const [event, listeners] of listenersOf(emitter)) {
      const own = this.#own.get(event) ?? [];
      for (const listener of listeners) {
        if (!own.includes(listener)) emitter.off(event, listener);
      }
    }
    for (const [event, own] of this.#own) {
      const present = emitter.rawListeners(event);
      for (const listener of own) {
        if (!present.includes(listener)) emitter.on(event, listener);
      }
    }
  }
}

function listenersOf(emitter: EventEmitter): Map<string | symbol, readonly Listener[]> {
  const listenersTo = (event: string | symbol): Listener[] =>
    emitter.rawListeners(event) as Listener[];
  return new Map(emitter.eventNames().map((event) => [event, listenersTo(event)]));
}
