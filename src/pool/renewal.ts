/**
 * Changes a pool while it is in use: other limits, or other resources. Idle resources are destroyed at once; borrowed
 * ones when they are released. Their replacements are created as usual.
 */
import type { Capacity } from './capacity.js';
import type { Creator } from './creation/creator.js';
import type { PoolLimits, PoolSettings } from './pool-options.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** The parts of a pool that a renewal changes. */
export interface Renewable<T> {
  readonly settings: PoolSettings;
  readonly stock: Stock<T>;
  readonly creator: Creator<T, Waiter<T>>;
  readonly capacity: Capacity;
  /** Told that another creation may be possible now, or that there are too many resources. */
  roomChanged(): void;
}

/** Sets other limits, and evicts idle resources beyond them. */
export function resizePool<T>(pool: Renewable<T>, { min, max }: PoolLimits): void {
  const { settings, stock, capacity, creator } = pool;
  const { idle } = stock;
  settings.min = min;
  settings.max = max;
  creator.limitsChanged();
  for (let slot = idle.first; slot !== null && capacity.hasExcess; slot = idle.first) {
    stock.evict(slot, 'resize');
  }
  pool.roomChanged();
}

/** Has all present resources replaced, those being created included. Settles when all of them are gone. */
export async function invalidateResources<T>({ stock, creator }: Renewable<T>): Promise<void> {
  const old = [...stock.slots];
  const creationsEnded = creator.whenEnded();
  for (const slot of old) slot.expire('invalidated');
  creator.invalidate();
  stock.evictAll('invalidated');
  await Promise.all([creationsEnded, ...old.map((slot) => slot.whenGone())]);
}
