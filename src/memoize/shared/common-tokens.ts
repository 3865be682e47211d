/**
 * Makes the tokens that results of many keys need: of the cache, of all tags, and of a tag. A new one makes all results with the old one
 * useless. So loads that need one at one time share the request, and it is made only if it is not there.
 */
import { firstToken, tokenIn } from './envelope.js';
import { inTime } from './in-time.js';
import type { LoadAccess } from './load-access.js';
import { SharedStoreError } from './shared-store-error.js';
import type { StoreTime } from './store-time.js';
import { WaitBudget } from './wait-budget.js';

/** The common tokens of one cache. */
export class CommonTokens {
  readonly #access: LoadAccess;
  readonly #time: StoreTime;
  /** The requests that are underway, by name. */
  readonly #requests = new Map<string, Promise<void>>();

  constructor(access: LoadAccess, time: StoreTime) {
    this.#access = access;
    this.#time = time;
  }

  /** Makes tokens that were found missing, to be kept for `life` milliseconds. Waits at most `millis`. */
  make(names: readonly string[], life: number, millis: number): Promise<unknown> {
    return Promise.all(names.map((name) => this.#make(name, life, millis)));
  }

  #make(name: string, life: number, millis: number): Promise<void> {
    const begun = this.#requests.get(name);
    if (begun !== undefined) {
      const onLate = (): Error => new SharedStoreError('The store did not take a token in time.');
      return inTime(this.#time, () => begun, millis, { onLate });
    }
    const request = this.#makeIfMissing(name, life, new WaitBudget(this.#time, millis));
    this.#requests.set(name, request);
    const forget = (): unknown => this.#requests.delete(name);
    request.then(forget, forget);
    return request;
  }

  /**
   * Reads the token alone first. It may have been made since it was found missing. And a read of several names may fail for the sake of
   * one, on another shard: a Keyv then reports all as missing.
   */
  async #makeIfMissing(name: string, life: number, budget: WaitBudget): Promise<void> {
    const access = this.#access;
    const there = await budget
      .spend((millis) => access.getOne(name, millis))
      .catch((error: unknown) => {
        if (budget.left <= 0) throw error;
        return undefined; // A value that the store cannot parse is replaced.
      });
    if (tokenIn(there) !== '') return;
    await budget.spend((millis) => access.set(name, firstToken(), life, millis));
  }
}
