/**
 * A pool of the package tarn, adopted, such as the one that knex keeps as `knex.client.pool`: leases that end with their
 * block, `use`, waits that end by a signal, and a watchdog. The pool stays yours, and so do knex's own queries.
 *
 * @module
 */
import type { Pool } from 'tarn';
import { AdoptedPool, type AdoptOptions } from './adoption/adopted-pool.js';

export * from './adoption/surface.js';

/**
 * Leases, `use` and watching over a pool of tarn.
 *
 * @example
 * ```ts
 * import { Pool } from 'tarn';
 * import { adoptPool } from 'tenure/integrations/tarn';
 *
 * const tarn = new Pool<{ id: number }>({ min: 0, max: 2, create: async () => ({ id: 1 }), destroy: () => {} });
 * const pool = adoptPool(tarn, { name: 'knex' });
 * await pool.use((connection) => connection.id); // => 1
 * await pool.close({ endPeer: true });
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for options that are unknown or malformed.
 */
export function adoptPool<T>(pool: Pool<T>, options: AdoptOptions = {}): AdoptedPool<T> {
  const doomed = new Doomed(pool);
  return new AdoptedPool<T>(
    {
      // Not aborted when its caller has left: what tarn has just given to an aborted request, it lays aside without serving
      // the next in line, who then waits for a release that may never come.
      request: () => pool.acquire().promise,
      giveBack: (resource) => {
        if (!pool.release(resource)) throw new Error('it is not out');
      },
      destroy: (resource) => doomed.destroy(resource),
      figures: () => ({
        size: pool.numUsed() + pool.numFree() + pool.numPendingCreates(),
        available: pool.numFree(),
        borrowed: pool.numUsed(),
        pending: pool.numPendingAcquires(),
        creating: pool.numPendingCreates(),
        min: limitOf(pool, 'min'),
        max: limitOf(pool, 'max'),
      }),
      end: () => pool.destroy(),
    },
    options,
  );
}

/**
 * The resources that are to be destroyed. tarn has no method for it, but destroys what does not pass its `validate` before
 * it is lent again; so a doomed resource fails there. If nobody waits, a request is made that gets the doomed one, tarn's
 * newest free one, and is taken back before it causes a creation.
 */
class Doomed<T> {
  readonly #pool: Pool<T>;
  readonly #whenGone = new Map<T, () => void>();

  constructor(pool: Pool<T>) {
    this.#pool = pool;
    const validated = pool as unknown as { validate(resource: T): unknown };
    const { validate } = validated;
    validated.validate = (resource) =>
      this.#whenGone.has(resource) ? false : validate.call(pool, resource);
    const gone = (_event: number, resource: T): void => {
      this.#whenGone.get(resource)?.();
      this.#whenGone.delete(resource);
    };
    pool.on('destroySuccess', gone);
    pool.on('destroyFail', gone);
  }

  /** Settles when the resource is gone, or its destruction has failed or taken too long, as tarn sees it. */
  destroy(resource: T): Promise<void> {
    const pool = this.#pool;
    const gone = new Promise<void>((resolve) => this.#whenGone.set(resource, resolve));
    const nobodyWaits = pool.numPendingAcquires() === 0;
    if (!pool.release(resource)) {
      this.#whenGone.delete(resource);
      throw new Error('it is not out');
    }
    if (nobodyWaits) this.#drawOut(resource);
    return gone;
  }

  #drawOut(resource: T): void {
    const pool = this.#pool;
    const probe = pool.acquire();
    probe.promise.catch(() => {}); // Taking it back rejects it.
    const drawn = (_event: number, destroyed: T): void => {
      if (destroyed !== resource) return;
      pool.removeListener('destroyRequest', drawn);
      probe.abort();
    };
    pool.on('destroyRequest', drawn);
  }
}

/** tarn's limits are in its types as protected. */
function limitOf<T>(pool: Pool<T>, limit: 'min' | 'max'): number {
  return (pool as unknown as Readonly<Record<typeof limit, number>>)[limit];
}
