/** Rejects callers that get no resource: too many wait already, or the acquire timeout is over. */
import type { Creator } from './creation/creator.js';
import type { PoolCounters } from './pool-counters.js';
import {
  AcquireTimeoutError,
  type BlockedBy,
  DeadlineError,
  PoolFullError,
  type WaitPhase,
} from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { PoolSettings } from './pool-options.js';
import { formatFigures, type PoolStats } from './pool-stats.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** The failed waits of one pool. */
export class WaitFailures<T> {
  readonly #settings: PoolSettings;
  readonly #stock: Stock<T>;
  readonly #creator: Creator<T, Waiter<T>>;
  readonly #counters: PoolCounters;
  readonly #events: PoolEvents;

  constructor(
    settings: PoolSettings,
    stock: Stock<T>,
    creator: Creator<T, Waiter<T>>,
    counters: PoolCounters,
    events: PoolEvents,
  ) {
    this.#settings = settings;
    this.#stock = stock;
    this.#creator = creator;
    this.#counters = counters;
    this.#events = events;
  }

  /** The rejection of a caller that finds the queue full. */
  poolFull(): Promise<never> {
    const { name, maxWaitingClients } = this.#settings;
    const error = new PoolFullError(name, maxWaitingClients);
    this.#counters.refusals++;
    this.#events.emitLater('refused', error);
    return Promise.reject(error);
  }

  /** Rejects waiters whose time is over. They have left the queue already. */
  timedOut(
    waiters: readonly Waiter<T>[],
    stalledMillis: number,
    blockedBy: BlockedBy | undefined,
    currentStats: () => PoolStats,
  ): void {
    const { name, acquireTimeoutMillis } = this.#settings;
    this.#counters.acquireTimeouts += waiters.length;
    const stats = currentStats();
    const loans = this.#stock.loans();
    const lastCreateError = this.#creator.lastError;
    for (const waiter of waiters) {
      const timeoutMillis = waiter.options?.timeoutMillis ?? acquireTimeoutMillis;
      const phase = this.#phaseOf(waiter);
      const error = new AcquireTimeoutError(name, {
        timeoutMillis,
        phase,
        stats,
        loans,
        lastCreateError,
        stalledMillis,
        blockedBy,
      });
      waiter.reject(error);
      this.#events.emitLater('acquireTimeout', error);
    }
    const figures = formatFigures(stats, loans);
    const reason = new DeadlineError(name, 'lease', acquireTimeoutMillis, figures);
    for (const { creation } of waiters) this.#creator.waiterLeft(creation, reason);
  }

  #phaseOf(waiter: Waiter<T>): WaitPhase {
    if (waiter.creation !== null || this.#creator.isBackingOff) return 'create';
    return this.#counters.validating > 0 ? 'validate' : 'wait';
  }
}
