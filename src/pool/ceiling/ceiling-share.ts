/** One pool's part in a common ceiling: what the others need to know of it, and may ask of it. */

import type { PoolCounters } from '../pool-counters.js';
import type { WaiterQueue } from '../queue/waiter-queue.js';
import type { Stock } from '../stock/stock.js';
import type { CeilingMember, SharedCeiling } from './shared-ceiling.js';

/** What a pool shows of itself under a common ceiling. */
export interface CeilingShareHost<T> {
  readonly stock: Stock<T>;
  readonly counters: PoolCounters;
  readonly waiters: WaiterQueue<T>;
  readonly settings: { readonly max: number };
  readonly size: number;
  readonly creator: { readonly isBackingOff: boolean };
  /** How many waiters there are for whom nothing is on its way. */
  shortfall(): number;
  /** Serves those who can be served. */
  dispense(): void;
}

/** The part of one pool. */
export class CeilingShare<T> implements CeilingMember {
  readonly ceiling: SharedCeiling;
  readonly #pool: CeilingShareHost<T>;
  lastGrant = 0;

  constructor(ceiling: SharedCeiling, pool: CeilingShareHost<T>) {
    this.ceiling = ceiling;
    this.#pool = pool;
  }

  /** One of its resources was lent. */
  granted(): void {
    this.lastGrant = this.ceiling.nextGrant();
  }

  get size(): number {
    return this.#pool.size;
  }

  get destroying(): number {
    return this.#pool.counters.destroying;
  }

  get idle(): number {
    return this.#pool.stock.idle.length;
  }

  get firstTicket(): number {
    return this.#pool.waiters.first?.ticket ?? Number.POSITIVE_INFINITY;
  }

  isStarved(): boolean {
    const { creator, settings } = this.#pool;
    return !creator.isBackingOff && this.#pool.shortfall() > 0 && this.size < settings.max;
  }

  evictIdle(): void {
    const { stock } = this.#pool;
    const slot = stock.idle.first;
    if (slot !== null) stock.evict(slot, 'yielded');
  }

  serve(): void {
    this.#pool.dispense();
  }
}
