/**
 * Adopts pools of the package tarn, such as `knex.client.pool`. An adopted pool has leases, `use`, waits that end by a signal, and a
 * watch. The pool stays yours. Its other users, such as knex's own queries, work as before.
 *
 * @module
 */
import type { Pool } from 'tarn';
import { askPeer } from '../core/adopted-peers.js';
import type { AdoptOptions } from './adoption/adopt-options.js';
import { AdoptedPool } from './adoption/adopted-pool.js';
import { answerWith } from './adoption/answer-with.js';
import { checkPeer } from './adoption/check-peer.js';
import { ignoreErrorsLeftOpenOnPg, leftOpenOnMysql, leftOpenOnPg } from './client/left-open.js';

export * from './adoption/surface.js';

/**
 * Adopts a pool of tarn: gives it leases, `use` and a watch.
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
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a pool of another package, and for options that are unknown
 * or malformed.
 */
export function adoptPool<T>(
  pool: Pool<T>,
  options: AdoptOptions<NoInfer<T>> = {},
): AdoptedPool<T> {
  checkPeer(pool, 'a pool of tarn', ['acquire', 'release', 'validate', 'numUsed', 'destroy', 'on']);
  const destructions = new Destructions(pool);
  return new AdoptedPool<T>(
    {
      pool,
      // The request is not aborted when its caller leaves. If tarn has just given a resource to an aborted request, it sets the
      // resource aside without serving the next request. That one then waits for a release that may never come.
      request: (request) => {
        // A destroyed pool would let its callers wait until their timeout.
        if (!isDestroyed(pool)) answerWith(request, pool.acquire().promise);
        else request.refuse(new Error('the pool of tarn is destroyed. Adopt the one in use.'));
      },
      leftOpen: (client) => leftOpenOnPg(client) ?? leftOpenOnMysql(client),
      giveBack: (resource) => {
        if (!pool.release(resource)) throw new Error('it is not out');
      },
      destroy: (resource) => {
        ignoreErrorsLeftOpenOnPg(resource);
        return destructions.destroy(resource);
      },
      figures: () => ({
        size: pool.numUsed() + pool.numFree() + pool.numPendingCreates(),
        available: pool.numFree(),
        borrowed: pool.numUsed(),
        pending: pool.numPendingAcquires(),
        creating: pool.numPendingCreates(),
        min: limitOf(pool, 'min'),
        max: limitOf(pool, 'max'),
      }),
      loans: () => loansOf(pool),
      hasEnded: () => isDestroyed(pool),
      end: () => pool.destroy(),
    },
    options,
  );
}

/**
 * Destroys single resources of a pool of tarn, which has no method for it. tarn validates a resource before it lends it again, and
 * destroys one that is not valid. So the resource is released, and `validate` returns false for it.
 *
 * If no request is pending, one is made. It gets the released resource, because tarn lends the newest free one. The request is
 * aborted before it causes a creation.
 */
class Destructions<T> {
  readonly #pool: Pool<T>;
  readonly #onGone = new Map<T, () => void>();

  #isInstalled = false;

  constructor(pool: Pool<T>) {
    this.#pool = pool;
  }

  /** Changes `validate` of the pool, with the first destruction. */
  #install(): void {
    if (this.#isInstalled) return;
    this.#isInstalled = true;
    const pool = this.#pool;
    const validated = pool as unknown as { validate(resource: T): unknown };
    const { validate } = validated;
    validated.validate = (resource) =>
      this.#onGone.has(resource) ? false : validate.call(pool, resource);
    const gone = (_event: number, resource: T): void => {
      this.#onGone.get(resource)?.();
      this.#onGone.delete(resource);
    };
    pool.on('destroySuccess', gone);
    pool.on('destroyFail', gone);
  }

  /** Destroys a resource. Settles when tarn reports that it is gone, or that its destruction has failed or timed out. */
  destroy(resource: T): Promise<void> {
    this.#install();
    const pool = this.#pool;
    const gone = new Promise<void>((resolve) => this.#onGone.set(resource, resolve));
    const hasPendingRequest = pool.numPendingAcquires() > 0;
    if (!pool.release(resource)) {
      this.#onGone.delete(resource);
      throw new Error('it is not out');
    }
    if (!hasPendingRequest) this.#requestInvalid(resource);
    return gone;
  }

  #requestInvalid(resource: T): void {
    const pool = this.#pool;
    const request = askPeer(pool, undefined, () => pool.acquire());
    request.promise.catch(() => {}); // The abort rejects it.
    const onDestroy = (_event: number, destroyed: T): void => {
      if (destroyed !== resource) return;
      pool.removeListener('destroyRequest', onDestroy);
      request.abort();
    };
    pool.on('destroyRequest', onDestroy);
  }
}

/** A limit of tarn's pool, which its types declare as protected. */
function limitOf<T>(pool: Pool<T>, limit: 'min' | 'max'): number {
  return (pool as unknown as Readonly<Record<typeof limit, number>>)[limit];
}

/** Whether tarn's pool was destroyed. Its types declare the flag as protected. */
function isDestroyed<T>(pool: Pool<T>): boolean {
  return (pool as unknown as { readonly destroyed?: boolean }).destroyed === true;
}

/** The loans of tarn's pool, by their resources. Its types declare the list of them as protected. */
function loansOf<T>(pool: Pool<T>): ReadonlyMap<T, unknown> | undefined {
  const { used } = pool as unknown as { readonly used?: readonly { readonly resource: T }[] };
  return used && new Map(used.map((loan) => [loan.resource, loan]));
}
