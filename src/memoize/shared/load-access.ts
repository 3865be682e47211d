/**
 * The access of one cache's loads to the store. It ends with the cache: a store that its user has closed may connect again, as
 * that of `@keyv/redis` does, and keep the process alive. Invalidations go past it, because they are carried out after that too.
 */
import type { StoreAccess } from './store-access.js';

/** Rejects the requests of a load for which no caller waits: its cache was disposed of, or its time was over. It is reported nowhere. */
export class AbandonedLoadError extends Error {}

/** The requests that loads make. */
export class LoadAccess {
  readonly #store: StoreAccess;
  readonly #hasEnded: () => boolean;

  constructor(store: StoreAccess, hasEnded: () => boolean) {
    this.#store = store;
    this.#hasEnded = hasEnded;
  }

  /**
   * Whether a call may ask for the names that `names` gives. It is called only while the store leaves requests without an
   * answer.
   */
  mayAsk(names: () => readonly string[], millis: number): boolean {
    if (this.#hasEnded()) return false;
    return !this.#store.isTroubled || this.#store.mayAsk(names(), millis);
  }

  /** Whether writes under one of these names get no answer, so that no call should wait for one. */
  writesRest(names: readonly string[]): boolean {
    return this.#store.writesRest(names);
  }

  get(names: string[], millis: number): Promise<unknown[]> {
    return this.#hasEnded() ? ended() : this.#store.get(names, millis);
  }

  getOne(name: string, millis: number): Promise<unknown> {
    return this.#hasEnded() ? ended() : this.#store.getOne(name, millis);
  }

  set(name: string, value: unknown, ttl: number, millis: number): Promise<unknown> {
    return this.#hasEnded() ? ended() : this.#store.set(name, value, ttl, millis);
  }
}

function ended(): Promise<never> {
  return Promise.reject(new AbandonedLoadError());
}
