/**
 * The access to a shared store, with a circuit breaker. All caches of one store object share one access, and the lock shares its
 * breaker.
 *
 * ```
 *   closed ──no answer in time──▶ resting ──after the rest, with the next call──▶ resting, one probe runs
 *      ▲                             ▲                                                    │
 *      └────── any answer ───────────┼──────────────── answered ─────────────────────────┤
 *                                    └──────────────── no answer ─────────────────────────┘
 * ```
 *
 * While the breaker rests, calls go on without the store. No call waits for the probe. A store may also report success without it, so no caller of this class takes an answer to a write for a
 * proof.
 */
import type { Clock } from '../../core/clock.js';
import type { SharedStore } from '../shared-store.js';
import { inTime } from './in-time.js';
import { SharedStoreError } from './shared-store-error.js';

/** The shortest rest, in milliseconds. A rest is also at least twice the longest wait under it. */
const REST_MILLIS = 5_000;

type ErrorListener = (error: unknown) => void;

const accesses = /* @__PURE__ */ new WeakMap<SharedStore, StoreAccess>();

/** The access to one store object. */
export class StoreAccess {
  readonly #store: SharedStore;
  readonly #clock: Clock;
  readonly #listeners = new Set<ErrorListener>();
  #restsUntil = Number.NEGATIVE_INFINITY;
  #isProbing = false;
  #isListening = false;

  private constructor(store: SharedStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The access that all caches of a store share. The first cache's clock counts. */
  static to(store: SharedStore, clock: Clock): StoreAccess {
    const access = accesses.get(store) ?? new StoreAccess(store, clock);
    accesses.set(store, access);
    return access;
  }

  /** Whether the breaker is open: calls should go on without the store. */
  get isResting(): boolean {
    return this.#restsUntil !== Number.NEGATIVE_INFINITY;
  }

  /** Whether a call may ask the store now. After the rest begins a probe of `name`, which closes the breaker. */
  mayAsk(name: string, millis: number): boolean {
    if (!this.isResting) return true;
    if (!this.#isProbing && this.#clock.now() >= this.#restsUntil) {
      this.#isProbing = true;
      this.get([name], millis)
        .catch((error: unknown) => {
          const isRefused = !(error instanceof SharedStoreError);
          if (isRefused) this.#restsUntil = Number.NEGATIVE_INFINITY; // It came in time.
        })
        .finally(() => {
          this.#isProbing = false;
        });
    }
    return false;
  }

  /** Adds a listener to the errors that the store does not reject with. The store itself gets one listener for all caches. */
  onError(listener: ErrorListener): void {
    this.#listeners.add(listener);
    if (this.#isListening) return;
    this.#isListening = true;
    this.#store.on?.('error', this.#emit);
  }

  offError(listener: ErrorListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || !this.#isListening) return;
    this.#isListening = false;
    this.#store.off?.('error', this.#emit);
  }

  /** Reads the values with these names. A value that could not be read may be `undefined` too. */
  async get(names: string[], millis: number): Promise<unknown[]> {
    const store = this.#store;
    const values = await this.ask(
      () =>
        typeof store.getMany === 'function'
          ? store.getMany(names)
          : Promise.all(names.map((name) => store.get(name))),
      millis,
    );
    return Array.isArray(values) ? values : [];
  }

  /** Reads one value. */
  getOne(name: string, millis: number): Promise<unknown> {
    return this.ask(() => this.#store.get(name), millis);
  }

  /** Sends a value, to be kept for `ttl` milliseconds; 0 for no limit. */
  async set(name: string, value: unknown, ttl: number, millis: number): Promise<void> {
    const done = await this.ask(() => this.#store.set(name, value, ttl), millis);
    if (done === false) throw new SharedStoreError('The store refused a write.');
  }

  /** Asks for the removal of a value. */
  async delete(name: string, millis: number): Promise<void> {
    await this.ask(() => this.#store.delete(name), millis);
  }

  /**
   * Waits for an answer of the store or its neighbours, at most `millis`. Then rejects with a `SharedStoreError`, and the breaker
   * begins to rest.
   */
  ask<T>(request: () => PromiseLike<T> | T, millis: number): Promise<T> {
    const late = (): Error => {
      this.#restsUntil = this.#clock.now() + Math.max(REST_MILLIS, 2 * millis);
      return new SharedStoreError('The store gave no answer within `storeTimeoutMillis`.');
    };
    return inTime(this.#clock, request, millis, late, this.#answered);
  }

  readonly #answered = (): void => {
    this.#restsUntil = Number.NEGATIVE_INFINITY;
  };

  readonly #emit = (error: unknown): void => {
    for (const listener of [...this.#listeners]) listener(error);
  };
}
