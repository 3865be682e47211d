/**
 * The listeners of one component's events. An error of a listener is printed and ignored, so that it disturbs neither the
 * component nor the other listeners.
 */
import type { RunInContext } from './async-context.js';
import { guardedCall } from './guarded-call.js';
import type { ListenerWatch } from './listener-watch.js';
import { aFunction, checkArgument, type OptionCheck, oneOf } from './options.js';
import { SETTLED } from './settled.js';

/** A function that is called with an event's payload. */
export type Listener<P> = (payload: P) => void;

/** Listeners by event; `M` maps each event to its payload. */
export class EventListeners<M extends object> {
  /** Is told of listeners that are added and removed, while the component is watched. */
  watch: ListenerWatch | null = null;
  readonly #owner: string;
  readonly #anEvent: OptionCheck;
  readonly #runInContext: RunInContext;
  readonly #listeners = new Map<keyof M, Set<Listener<never>>>();
  /** How many listeners are those of {@link forward}. */
  #forwards = 0;
  /** Events to deliver in a microtask: each with its payload behind it. */
  #later: unknown[] = [];

  /**
   * `owner` names the component when an error is printed, as `'a pool'` does. `runInContext` calls the listeners, by default
   * in the async context of the emitter.
   */
  constructor(
    owner: string,
    events: readonly (keyof M & string)[],
    runInContext: RunInContext = (body) => body(),
  ) {
    this.#owner = owner;
    this.#anEvent = oneOf(...events);
    this.#runInContext = runInContext;
  }

  /**
   * Adds a listener. Without effect if it was added before. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event or a listener that is no function.
   */
  on<E extends keyof M>(event: E, listener: Listener<M[E]>): void {
    checkArgument('on', 'event', event, this.#anEvent);
    checkArgument('on', 'listener', listener, aFunction);
    if (this.#add(event, listener)) this.watch?.added(EventListeners.prototype.on);
  }

  /**
   * Adds a listener of a component of this package, which passes the event on to the program's own listeners. It is not counted, and
   * stays until {@link clear}. O(1).
   */
  forward<E extends keyof M>(event: E, listener: Listener<M[E]>): void {
    if (this.#add(event, listener)) this.#forwards++;
  }

  /** Adds a listener. False if it was added before. */
  #add<E extends keyof M>(event: E, listener: Listener<M[E]>): boolean {
    const listeners = this.#listeners.get(event);
    if (listeners?.has(listener) === true) return false;
    if (listeners === undefined) this.#listeners.set(event, new Set([listener]));
    else listeners.add(listener);
    return true;
  }

  /**
   * Removes a listener. Without effect if it was not added. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  off<E extends keyof M>(event: E, listener: Listener<M[E]>): void {
    checkArgument('off', 'event', event, this.#anEvent);
    const listeners = this.#listeners.get(event);
    if (listeners?.delete(listener) !== true) return;
    this.watch?.removed(1);
    if (listeners.size === 0) this.#listeners.delete(event);
  }

  /** How many listeners the program has added. O(events). */
  get size(): number {
    let size = -this.#forwards;
    for (const listeners of this.#listeners.values()) size += listeners.size;
    return size;
  }

  /** Whether an event has a listener. O(1). */
  has(event: keyof M): boolean {
    return this.#listeners.size > 0 && this.#listeners.has(event);
  }

  /** Calls the listeners that the event has at this moment, in the order in which they were added. Never throws. */
  emit<E extends keyof M>(event: E, payload: M[E]): void {
    if (this.has(event)) this.#runInContext(() => this.#call(event, payload));
  }

  /**
   * Calls the listeners in a microtask, those included that are added until then. For an emitter in the middle of a step: a listener
   * may call the emitter, which by then is in a state that is whole.
   */
  emitLater<E extends keyof M>(event: E, payload: M[E]): void {
    if (this.#later.push(event, payload) > 2) return;
    void SETTLED.then(() => this.#runInContext(() => this.#callLater()));
  }

  #callLater(): void {
    const later = this.#later;
    this.#later = [];
    for (let i = 0; i < later.length; i += 2) {
      this.#call(later[i] as keyof M, later[i + 1] as M[keyof M]);
    }
  }

  #call<E extends keyof M>(event: E, payload: M[E]): void {
    const listeners = this.#listeners.get(event) as Set<Listener<M[E]>> | undefined;
    if (listeners === undefined) return;
    let left = listeners.size;
    for (const listener of listeners.size === 1 ? listeners : [...listeners]) {
      guardedCall(`a listener of ${this.#owner}'s '${String(event)}'`, () => listener(payload));
      if (--left === 0) return; // It may have added others.
    }
  }

  /** Removes all listeners. */
  clear(): void {
    if (this.watch !== null) this.watch.removed(this.size);
    this.#forwards = 0;
    this.#listeners.clear();
  }
}
