/**
 * Adopts a `pg.Pool`. An adopted pool has leases, `use`, waits that end by a signal, and a watch: a watchdog names the line that did not
 * release its client. The pool stays yours, and `pool.query()` works as before.
 *
 * `lease.destroy()`, and `context.discard()` in `use`, call `client.release(true)`. Use them after an error of the connection.
 * `pg.Pool` removes a broken client only when its socket has reported the failure. By then the next caller may have it.
 *
 * A client that breaks while it is lent emits `'error'`. Without a listener this event ends the process, and `pg.Pool` listens to
 * idle clients only. The adoption listens during each loan. The holder sees a failing query, and the client is removed when it
 * comes back.
 *
 * @module
 */
import type { Pool, PoolClient } from 'pg';
import { AdoptedPool, type AdoptOptions } from './adoption/adopted-pool.js';

export * from './adoption/surface.js';

/**
 * Adopts a `pg.Pool`: gives it leases, `use` and a watch.
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

/**
 * The clients that are lent, each with the `release` of its loan. `client.release` cannot be used at the end of a loan: pg replaces
 * it with each loan, so it may belong to a later holder.
 */
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

/** Ignores an error of a lent client, because the holder's next query rejects with it. */
function ignore(): void {}
