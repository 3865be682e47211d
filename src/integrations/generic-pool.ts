/**
 * Adopts pools of the package generic-pool. An adopted pool has leases, waits that end by a signal, and a watch. Its `use` keeps the
 * resource when your function fails. The pool stays yours. Its other users work as before.
 *
 * @module
 */
import type { Pool } from 'generic-pool';
import type { AdoptOptions } from './adoption/adopt-options.js';
import { AdoptedPool } from './adoption/adopted-pool.js';
import { answerWith } from './adoption/answer-with.js';
import { checkPeer } from './adoption/check-peer.js';
import { ignoreErrorsLeftOpenOnPg, leftOpenOnMysql, leftOpenOnPg } from './client/left-open.js';

export * from './adoption/surface.js';

/**
 * Adopts a pool of generic-pool: gives it leases, `use` and a watch.
 *
 * @example
 * ```ts
 * import genericPool from 'generic-pool';
 * import { adoptPool } from 'tenure/integrations/generic-pool';
 *
 * const factory = { create: async () => ({ id: 1 }), destroy: async () => {} };
 * const pool = adoptPool(genericPool.createPool(factory, { max: 2 }), { name: 'workers' });
 * const lease = await pool.lease({ timeoutMillis: 1_000 });
 * lease.resource.id; // => 1
 * lease.release();
 * await pool.use((worker) => worker.id); // => 1
 * await pool.close({ endPeer: true });
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a pool of another package, and for options that are unknown
 * or malformed.
 */
export function adoptPool<T>(
  pool: Pool<T>,
  options: AdoptOptions<NoInfer<T>> = {},
): AdoptedPool<T> {
  checkPeer(pool, 'a pool of generic-pool', [
    'acquire',
    'release',
    'isBorrowedResource',
    'drain',
    'clear',
  ]);
  const ownRelease = ownReleaseOf(pool);
  return new AdoptedPool<T>(
    {
      pool,
      request: (request, priority) => answerWith(request, pool.acquire(priority)),
      leftOpen: (client) => leftOpenOnPg(client) ?? leftOpenOnMysql(client),
      giveBack: (resource) => {
        if (!pool.isBorrowedResource(resource)) throw new Error('it is not out');
        const answer = pool.release(resource);
        return pool.release === ownRelease ? undefined : answer;
      },
      destroy: (resource) => {
        ignoreErrorsLeftOpenOnPg(resource);
        return pool.destroy(resource);
      },
      figures: () => ({
        size: pool.size,
        available: pool.available,
        borrowed: pool.borrowed,
        pending: pool.pending,
        creating: pool.size - pool.available - pool.borrowed, // Includes resources that are being validated.
        min: pool.min,
        max: pool.max,
      }),
      loans: () => loansOf(pool),
      end: async () => {
        await pool.drain();
        await pool.clear();
      },
    },
    options,
  );
}

/** The private list of the loans of a pool of generic-pool, by their resources. */
function loansOf(pool: object): ReadonlyMap<unknown, unknown> | undefined {
  const { _resourceLoans: loans } = pool as { readonly _resourceLoans?: unknown };
  return loans instanceof Map ? loans : undefined;
}

/**
 * Gives the `release` of generic-pool's own class, which always succeeds for a borrowed resource, so its promise need not be awaited.
 * `undefined` if the pool has another method, which may fail.
 */
function ownReleaseOf<T>(pool: Pool<T>): Pool<T>['release'] | undefined {
  const prototype = Object.getPrototypeOf(pool);
  const isOwn = Object.hasOwn(prototype, 'isBorrowedResource') && !Object.hasOwn(pool, 'release');
  return isOwn ? prototype.release : undefined;
}
