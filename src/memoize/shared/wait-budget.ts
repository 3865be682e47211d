/**
 * The time that one call may still wait for answers of the store and the lock. All its waits share one budget, so a call waits no
 * longer than `storeTimeoutMillis` for answers, however many requests it makes.
 */
import { SharedStoreError } from './shared-store-error.js';
import type { StoreTime } from './store-time.js';

/** The budget of one call. */
export class WaitBudget {
  readonly #time: StoreTime;
  #left: number;

  /** `millis` may be `Infinity`. */
  constructor(time: StoreTime, millis: number) {
    this.#time = time;
    this.#left = millis;
  }

  /** How long the call may still wait, in milliseconds, ≥ 0. */
  get left(): number {
    return this.#left;
  }

  /**
   * Waits for what `ask` returns, and takes the time from the budget. `ask` is given what is left, and the clock on which it passes.
   * Rejects if nothing is left. With `isAnswerFree`, only a wait that is rejected takes time from the budget.
   */
  spend<T>(ask: (millis: number, time: StoreTime) => Promise<T>, isAnswerFree = false): Promise<T> {
    if (this.#left <= 0) {
      return Promise.reject(new SharedStoreError('The answers took all of `storeTimeoutMillis`.'));
    }
    const began = this.#time.now();
    const take = (): void => {
      this.#left = Math.max(0, this.#left - (this.#time.now() - began));
    };
    const answer = ask(this.#left, this.#time);
    void answer.then(isAnswerFree ? undefined : take, take); // Before the callbacks of the caller.
    return answer;
  }
}
