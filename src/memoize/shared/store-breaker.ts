/**
 * The shared store as what it is: something that may fail, or not answer. A store that did not answer in time is left alone
 * for a while, so that not every call has to wait for it.
 */
import { systemClock } from '../../core/clock.js';
import type { SharedStore } from '../shared-store.js';
import { SharedStoreError } from './shared-store-error.js';

/** How long a store that did not answer is left alone, in milliseconds. */
export const OPEN_MILLIS = 1_000;

/** A store that may be slow, and may be none. */
export class StoreBreaker {
  readonly #store: SharedStore | undefined;
  readonly #timeoutMillis: number;
  #openUntil = 0;

  /** `timeoutMillis` is how long an answer is waited for; `Infinity` for no limit. */
  constructor(store: SharedStore | undefined, timeoutMillis: number) {
    this.#store = store;
    this.#timeoutMillis = timeoutMillis;
  }

  /** Whether there is a store at all. */
  get exists(): boolean {
    return this.#store !== undefined;
  }

  /** Whether the store is being left alone. */
  get isOpen(): boolean {
    return systemClock.now() < this.#openUntil;
  }

  /** What lies under these names. */
  async get(names: string[]): Promise<unknown[]> {
    const store = this.#store;
    if (store === undefined) return [];
    const values = store.getMany
      ? store.getMany(names)
      : Promise.all(names.map((name) => store.get(name)));
    return (await this.inTime(values)) ?? [];
  }

  /** Keeps a value for `ttl` milliseconds, 0 being for ever. */
  async set(name: string, value: unknown, ttl: number): Promise<void> {
    const done = await this.inTime(this.#store?.set(name, value, ttl));
    if (done === false) throw new SharedStoreError(`The store could not keep '${name}'.`);
  }

  /** Removes what lies under a name. */
  async delete(name: string): Promise<void> {
    await this.inTime(this.#store?.delete(name));
  }

  /** The answer; one that does not come in time is a failure. */
  async inTime<T>(answer: Promise<T> | undefined): Promise<T | undefined> {
    if (answer === undefined) return undefined;
    if (this.#timeoutMillis === Number.POSITIVE_INFINITY) return answer;
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = systemClock.setTimer(() => {
        this.#openUntil = systemClock.now() + OPEN_MILLIS;
        reject(
          new SharedStoreError(
            `No answer within the \`storeTimeout\` of ${this.#timeoutMillis} ms.`,
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
