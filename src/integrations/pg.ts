/**
 * `pg.Pool`, adopted: leases that end with their block, `use`, waits that end by a signal, and a watchdog that names the line
 * which did not release its client. The pool stays yours, and `pool.query()` goes on as ever.
 *
 * `lease.destroy()`, and `context.discard()` in `use`, is `client.release(true)`. Call it after an error of the connection: `pg.Pool`
 * removes a client that broke only when its socket has said so, which may be after the next one got it.
 *
 * A client that breaks while it is lent emits `'error'`, which ends the process if nobody listens, and `pg.Pool` listens to idle ones
 * alone. The adoption listens for as long as the loan lasts: the holder learns of it by the query that fails, and the
 * client is removed when it comes back.
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
  const held = new HeldClients();
  return new AdoptedPool<PoolClient>(
    {
      request: async () => held.take(await pool.connect()),
      giveBack: (client) => held.release(client, false),
      destroy: (client) => held.release(client, true),
      handOver: (client) => held.forget(client),
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

/** The clients that are lent, each with the `release` of that loan: the client itself has that of whoever holds it now. */
class HeldClients {
  readonly #releases = new WeakMap<PoolClient, PoolClient['release']>();

  take(client: PoolClient): PoolClient {
    if (!this.#releases.has(client)) client.on('error', ignore);
    this.#releases.set(client, client.release);
    return client;
  }

  release(client: PoolClient, isBroken: boolean): void {
    const release = this.#releases.get(client);
    this.forget(client);
    if (isBroken) release?.(true);
    else release?.();
  }

  forget(client: PoolClient): void {
    this.#releases.delete(client);
    client.off('error', ignore);
  }
}

/** The holder's next query tells him. */
function ignore(): void {}
