/**
 * The events of a keyed pool: those of the pools of all keys, with the key. A pool is listened to only for events that a
 * listener was added for, so events without listeners cost nothing.
 */
import type { RunInContext } from '../core/async-context.js';
import { EventListeners } from '../core/event-listeners.js';
import type { ListenerWatch, WatchedListeners } from '../core/listener-watch.js';
import { POOL_EVENTS, type PoolEventMap, type PoolEvents } from './pool-events.js';

/** An event of one key's pool. */
export interface KeyedPoolEvent<K, E extends keyof PoolEventMap, T = unknown> {
  /** The key whose pool the event is from. */
  readonly key: K;
  /** The payload of the pool's own event. */
  readonly payload: PoolEventMap<T>[E];
}

/** The payload of each event of a keyed pool. */
export type KeyedPoolEventMap<K, T = unknown> = {
  [E in keyof PoolEventMap]: KeyedPoolEvent<K, E, T>;
};

/** A listener of one event of a keyed pool. */
export type KeyedPoolListener<K, E extends keyof PoolEventMap, T = unknown> = (
  event: KeyedPoolEvent<K, E, T>,
) => void;

/** The listeners of one keyed pool. */
export class KeyedEvents<K> implements WatchedListeners {
  readonly #listeners: EventListeners<KeyedPoolEventMap<K>>;
  readonly #members = new Map<PoolEvents, K>();
  readonly #forwarded = new Set<keyof PoolEventMap>();

  constructor(runInContext: RunInContext) {
    this.#listeners = new EventListeners('a keyed pool', POOL_EVENTS, runInContext);
  }

  /** How many listeners the program has added. O(events). */
  get size(): number {
    return this.#listeners.size;
  }

  get watch(): ListenerWatch | null {
    return this.#listeners.watch;
  }

  set watch(watch: ListenerWatch | null) {
    this.#listeners.watch = watch;
  }

  on<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E>): void {
    this.#listeners.on(event, listener);
    if (this.#forwarded.has(event)) return;
    this.#forwarded.add(event);
    for (const [events, key] of this.#members) this.#forward(event, events, key);
  }

  off<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E>): void {
    this.#listeners.off(event, listener);
  }

  /** Forwards the events of a key's pool from now on. */
  add(key: K, events: PoolEvents): void {
    this.#members.set(events, key);
    for (const event of this.#forwarded) this.#forward(event, events, key);
  }

  /** Forgets the pool of a key. Events that it still has are forwarded. */
  remove(events: PoolEvents): void {
    this.#members.delete(events);
  }

  #forward<E extends keyof PoolEventMap>(event: E, events: PoolEvents, key: K): void {
    events.forward(event, (payload) => {
      this.#listeners.emit(event, { key, payload } as KeyedPoolEventMap<K>[E]);
    });
  }
}
