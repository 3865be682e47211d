/**
 * Changing a pool while it is in use: other limits, and other resources. Nobody's loan is cut short: what is idle goes at
 * once, what is out when it comes back, and what takes its place is created as ever.
 */
import type { Creator } from './creation/creator.js';
import type { PoolLimits, PoolSettings } from './pool-options.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** What a renewal needs of its pool. */
export interface RenewalHost<T> {
  readonly settings: PoolSettings;
  readonly stock: Stock<T>;
  readonly creator: Creator<T, Waiter<T>>;
  /** There may be room for more now, or for less. */
  roomChanged(): void;
}

/** The changes of one pool. */
export class Renewal<T> {
  readonly #pool: RenewalHost<T>;

  constructor(pool: RenewalHost<T>) {
    this.#pool = pool;
  }

  /** How many resources there are, or will be, beyond `max`. */
  get excess(): number {
    const { stock, creator, settings } = this.#pool;
    return stock.usable + creator.creating - settings.max;
  }

  resize({ min, max }: PoolLimits): void {
    const { settings, stock } = this.#pool;
    settings.min = min;
    settings.max = max;
    for (let slot = stock.idle.first; slot !== null && this.excess > 0; slot = stock.idle.first) {
      stock.evict(slot, 'resize');
    }
    this.#pool.roomChanged();
  }

  /** Has everything there is replaced; settles when it is gone. */
  async invalidate(): Promise<void> {
    const { stock, creator } = this.#pool;
    const old = [...stock.slots];
    const underWay = creator.whenEnded();
    for (const slot of old) slot.expire('invalidated');
    creator.invalidate();
    stock.evictAll('invalidated');
    await underWay;
    await Promise.all(old.map((slot) => slot.whenGone()));
  }
}
