/**
 * `pg.Pool`, adopted: leases that end with their block, `use`, waits that end by a signal, and a watchdog that names the line
 * which did not release its client. The pool stays yours, and `pool.query()` goes on as ever.
 *
 * `lease.destroy()`, and `context.discard()` in `use`, is `client.release(true)`. Call it after an error of the connection: `pg.Pool`
 * removes a client that broke only when its socket has said so, which may be after the next one got it.
 *
 * @module
 */
import type { Pool, PoolClient } from 'pg';
import { AdoptedPool, type AdoptOptions } from './adoption/adopted-pool.js';

export * from './adoption/surface.js';

/**
 * Leases, `use` and watching over a `pg.Pool`.
 *
 * @example
 * ```ts
 * import pg from 'pg';
 * import { adoptPool } from 'tenure/integrations/pg';
 *
 * const db = adoptPool(new pg.Pool({ max: 4 }), { name: 'orders-db' });
 * db.stats().max; // => 4
 * await db.close({ endPeer: true });
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for options that are unknown or malformed.
 */
export function adoptPool(pool: Pool, options: AdoptOptions = {}): AdoptedPool<PoolClient> {
  return new AdoptedPool<PoolClient>(
    {
      request: () => pool.connect(),
      giveBack: (client) => client.release(),
      destroy: (client) => client.release(true),
      figures: () => ({
        size: pool.totalCount,
        available: pool.idleCount,
        borrowed: pool.totalCount - pool.idleCount,
        pending: pool.waitingCount,
        creating: 0,
        min: pool.options.min ?? 0,
        max: pool.options.max,
      }),
      end: () => pool.end(),
    },
    options,
  );
}
