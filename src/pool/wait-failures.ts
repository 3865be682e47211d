/** Those who leave with nothing: refused since too many wait, out of time, or called away. */

import type { Creator } from './creation/creator.js';
import type { Tally } from './pool-counters.js';
import { AcquireTimeoutError, PoolFullError, type PoolPhase } from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { PoolSettings } from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import type { Waiter } from './queue/waiter.js';
import type { WaiterQueueListener } from './queue/waiter-queue.js';
import type { Closing } from './shutdown.js';
import type { Stock } from './stock/stock.js';

/** The pool that had nothing for them. */
export interface UnservedHost<T> {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly tally: Tally;
  readonly stock: Stock<T>;
  readonly creator: Creator<T, Waiter<T>>;
  readonly closing: Closing<T>;
  readonly events: PoolEvents;
  stats(): PoolStats;
}

/** Tells them why. */
export class Unserved<T> implements WaiterQueueListener<T> {
  readonly #pool: UnservedHost<T>;

  constructor(pool: UnservedHost<T>) {
    this.#pool = pool;
  }

  /** For one more than may wait. */
  refuse(): Promise<never> {
    const { tally, events, name, settings } = this.#pool;
    tally.refusals++;
    const error = new PoolFullError(name, settings.maxWaitingClients);
    events.emit('refused', error);
    return Promise.reject(error);
  }

  expired(waiters: readonly Waiter<T>[]): void {
    const { name, settings, tally, events, stock, creator, closing } = this.#pool;
    tally.acquireTimeouts += waiters.length;
    const stats = this.#pool.stats();
    const loans = stock.loans();
    const lastCreateError = creator.lastError;
    for (const waiter of waiters) {
      const timeoutMillis = waiter.wishes?.timeoutMillis ?? settings.acquireTimeoutMillis;
      const phase = this.#waitedFor(waiter);
      const error = new AcquireTimeoutError(name, {
        timeoutMillis,
        phase,
        stats,
        loans,
        lastCreateError,
      });
      events.emit('acquireTimeout', error);
      waiter.reject(error);
    }
    closing.check();
  }

  #waitedFor(waiter: Waiter<T>): PoolPhase {
    const { creator, tally } = this.#pool;
    if (waiter.creation !== null || creator.isBackingOff) return 'create';
    return tally.validating > 0 ? 'validate' : 'wait';
  }

  aborted(waiter: Waiter<T>): void {
    waiter.reject(waiter.wishes?.signal?.reason);
    this.#pool.closing.check();
  }

  emptied(): void {
    this.#pool.creator.nobodyWaits();
  }
}
