/** Makes a pool: checks what it is given, and keeps the async context that its background work belongs to. */
import { captureAsyncContext } from '../core/async-context.js';
import type { Factory } from './factory.js';
import { Keeper } from './keeper.js';
import { Pool } from './pool.js';
import { type PoolOptions, resolvePoolOptions } from './pool-options.js';

/**
 * A pool of what `factory` makes. Factory and options are generic-pool's and more; every wait has a timeout unless one
 * is switched off with `Infinity`.
 *
 * The factory is always called in the async context of this call, whoever's request needs a resource.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 *
 * const connect = async () => ({ query: async (text: string) => `result of ${text}`, end() {} });
 * const pool = createPool({ create: connect, destroy: (connection) => connection.end() }, { max: 4 });
 *
 * await pool.use((connection) => connection.query('select 1')); // => 'result of select 1'
 * await pool.close();
 * ```
 */
export function createPool<T>(factory: Factory<T>, options: PoolOptions = {}): Pool<T> {
  const settings = resolvePoolOptions(factory, options);
  const keeper = new Keeper(factory, settings, captureAsyncContext());
  if (settings.autostart) keeper.start();
  return new Pool(keeper);
}
