/**
 * A circuit breaker for the shared store. After an answer that did not come in time the breaker is open for a while: calls go on
 * without the store, so that they do not all wait for it.
 */
import { systemClock } from '../../core/clock.js';
import type { SharedStore } from '../shared-store.js';
import { SharedStoreError } from './shared-store-error.js';

/** How long the breaker stays open, in milliseconds. */
export const OPEN_MILLIS = 1_000;

/** A store with a timeout for each answer. There may be no store behind it. */
export class StoreBreaker {
  readonly #store: SharedStore | undefined;
  readonly #timeoutMillis: number;
  #openUntil = 0;

  /** `timeoutMillis` limits the wait for each answer; `Infinity` for no limit. */
  constructor(store: SharedStore | undefined, timeoutMillis: number) {
    this.#store = store;
    this.#timeoutMillis = timeoutMillis;
  }

  /** Whether there is a store at all. */
  get exists(): boolean {
    return this.#store !== undefined;
  }

  /** Whether the breaker is open: the store should not be asked now. */
  get isOpen(): boolean {
    return systemClock.now() < this.#openUntil;
  }

  /** Reads the values with these names. */
  async get(names: string[]): Promise<unknown[]> {
    const store = this.#store;
    if (store === undefined) return [];
    const values = store.getMany
      ? store.getMany(names)
      : Promise.all(names.map((name) => store.get(name)));
    return (await this.inTime(values)) ?? [];
  }

  /** Stores a value for `ttl` milliseconds; 0 for no limit. Rejects if the store could not keep it. */
  async set(name: string, value: unknown, ttl: number): Promise<void> {
    const done = await this.inTime(this.#store?.set(name, value, ttl));
    if (done === false) throw new SharedStoreError(`The store could not keep '${name}'.`);
  }

  /** Removes the value with this name. */
  async delete(name: string): Promise<void> {
    await this.inTime(this.#store?.delete(name));
  }

  /** Waits for an answer of the store. Rejects, and opens the breaker, if it does not come in time. */
  async inTime<T>(answer: Promise<T> | undefined): Promise<T | undefined> {
    if (answer === undefined) return undefined;
    if (this.#timeoutMillis === Number.POSITIVE_INFINITY) return answer;
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = systemClock.setTimer(() => {
        this.#openUntil = systemClock.now() + OPEN_MILLIS;
        reject(
          new SharedStoreError(
            `No answer within the \`storeTimeoutMillis\` of ${this.#timeoutMillis} ms.`,
          ),
        );
      }, this.#timeoutMillis);
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      systemClock.clearTimer(timer as never);
    }
  }
}
