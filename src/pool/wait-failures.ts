/** Those who leave with nothing: refused since too many wait, out of time, or called away. */

import type { Creator } from './creation/creator.js';
import type { PoolCounters } from './pool-counters.js';
import { AcquireTimeoutError, PoolFullError, type PoolPhase } from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { PoolSettings } from './pool-options.js';
import type { PoolStats } from './pool-stats.js';
import type { Waiter } from './queue/waiter.js';
import type { WaiterQueueListener } from './queue/waiter-queue.js';
import type { Shutdown } from './shutdown.js';
import type { Stock } from './stock/stock.js';

/** The pool that had nothing for them. */
export interface WaitFailuresHost<T> {
  readonly name: string;
  readonly settings: PoolSettings;
  readonly counters: PoolCounters;
  readonly stock: Stock<T>;
  readonly creator: Creator<T, Waiter<T>>;
  readonly shutdown: Shutdown<T>;
  readonly events: PoolEvents;
  stats(): PoolStats;
}

/** Tells them why. */
export class WaitFailures<T> implements WaiterQueueListener<T> {
  readonly #pool: WaitFailuresHost<T>;

  constructor(pool: WaitFailuresHost<T>) {
    this.#pool = pool;
  }

  /** For one more than may wait. */
  poolFull(): Promise<never> {
    const { counters, events, name, settings } = this.#pool;
    counters.refusals++;
    const error = new PoolFullError(name, settings.maxWaitingClients);
    events.emit('refused', error);
    return Promise.reject(error);
  }

  expired(waiters: readonly Waiter<T>[]): void {
    const { name, settings, counters, events, stock, creator, shutdown } = this.#pool;
    counters.acquireTimeouts += waiters.length;
    const stats = this.#pool.stats();
    const loans = stock.loans();
    const lastCreateError = creator.lastError;
    for (const waiter of waiters) {
      const timeoutMillis = waiter.options?.timeoutMillis ?? settings.acquireTimeoutMillis;
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
    shutdown.check();
  }

  #waitedFor(waiter: Waiter<T>): PoolPhase {
    const { creator, counters } = this.#pool;
    if (waiter.creation !== null || creator.isBackingOff) return 'create';
    return counters.validating > 0 ? 'validate' : 'wait';
  }

  aborted(waiter: Waiter<T>): void {
    waiter.reject(waiter.options?.signal?.reason);
    this.#pool.shutdown.check();
  }

  emptied(): void {
    this.#pool.creator.queueEmptied();
  }
}
