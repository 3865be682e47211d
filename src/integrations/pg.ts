/**
 * For the package pg: adopts a `pg.Pool`, and makes pools of bare clients.
 *
 * An adopted pool has leases, `use`, waits that end by a signal, and a watch: a watchdog names the line that did not release its
 * client. The pool stays yours, and `pool.query()` works as before.
 *
 * A client that breaks emits `'error'`. Without a listener this event ends the process. The adoption listens to each client before
 * it is lent for the first time, and to the pool. A client whose error shows that it is broken is removed at the end of its loan.
 *
 * @module
 */
import type { Pool, PoolClient } from 'pg';
import { type PgPoolState, pgPoolFigures } from '../core/driver-pools.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import { isObject } from '../core/is-object.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import type { AdoptOptions } from './adoption/adopt-options.js';
import { AdoptedPool } from './adoption/adopted-pool.js';
import { checkPeer } from './adoption/check-peer.js';
import { ignoreErrorsLeftOpenOnPg, leftOpenOnPg } from './client/left-open.js';
import { pgErrors } from './pg/pg-errors.js';

export type { Pool as ClientPool } from '../pool/pool.js';
export type { PoolOptions } from '../pool/pool-options.js';
export * from './adoption/surface.js';
export type { ClientTransactionOptions, TransactionPool } from './client/transaction.js';
export { CommitUnknownError, TransactionTimeoutError } from './client/transaction-errors.js';
export type { DriverErrors } from './error-chain.js';
export { type ClientPoolOptions, createClientPool } from './pg/pg-client-pool.js';
export { pgErrors } from './pg/pg-errors.js';
export type { Pooler } from './pg/pg-session.js';
export {
  type IsolationLevel,
  PgRolledBackError,
  PgTransactionEndedError,
  type TransactionOptions,
  transaction,
} from './pg/pg-transaction.js';

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
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a pool of another package, and for options that are unknown
 * or malformed.
 */
export function adoptPool(
  pool: Pool,
  options: AdoptOptions<PoolClient> = {},
): AdoptedPool<PoolClient> {
  checkPeer(pool, 'a pg.Pool', ['connect', 'end', 'on'], ['totalCount', 'idleCount', 'options']);
  const held = new HeldClients(pool);
  const adopted = new AdoptedPool<PoolClient>(
    {
      pool,
      request: (request) => {
        const deliver = (client: PoolClient): void => {
          if (request.isAnswered) return;
          held.take(client);
          request.deliver(client);
        };
        const answer: unknown = pool.connect((error, client) => {
          if (client === undefined) request.refuse(error);
          else deliver(client);
        });
        // The `connect` of a subclass may be asynchronous, and ignore the callback, or answer in both ways.
        if (isThenable<unknown>(answer)) {
          void onceSettled(
            answer,
            (client) => isObject(client) && deliver(client as PoolClient),
            (error) => request.refuse(error),
          );
        }
      },
      leftOpen: leftOpenOnPg,
      giveBack: (client) => held.release(client, false),
      destroy: (client) => {
        ignoreErrorsLeftOpenOnPg(client);
        held.release(client, true);
      },
      figures: () => pgPoolFigures(pool as unknown as PgPoolState),
      loans: () => loansOf(pool),
      hasEnded: () => pool.ending,
      end: () => (pool.ending ? undefined : pool.end()),
    },
    options,
    { isBroken: pgErrors.isBroken },
  );
  surviveErrors(pool);
  return adopted;
}

/**
 * The clients that are lent, each with the `release` of its loan. `client.release` cannot be used at the end of a loan: pg replaces
 * it with each loan, so it may belong to a later holder.
 */
class HeldClients {
  readonly #releases = new WeakMap<PoolClient, PoolClient['release']>();
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  take(client: PoolClient): void {
    this.#releases.set(client, client.release);
  }

  release(client: PoolClient, isBroken: boolean): void {
    const release = this.#releases.get(client);
    try {
      if (isBroken) release?.(true);
      else release?.();
    } catch (error) {
      // The error of a second release, unless the pool still counts the client as lent by this very loan.
      if (loansOf(this.#pool)?.get(client) !== release) throw error;
      reportIgnoredError("a listener for 'release' of a pg.Pool", error);
      this.#remove(client);
    }
  }

  /** Removes a client that a listener for `'release'` has kept from going back: the pool would count it as lent for ever. */
  #remove(client: PoolClient): void {
    const pool = this.#pool as PoolLists;
    pool._remove?.(client, () => pool._pulseQueue?.());
  }
}

/** Pools that have listeners of ours already. */
const listenedTo = new WeakSet<Pool>();

/**
 * Listens to the errors of a pool and of its clients. `pg.Pool` takes its own listener off a client before it hands the client over,
 * so a listener that is added after `connect()` comes too late for an error in the same chunk of data. The pool emits `'acquire'`
 * before that. The error of a lent client is ignored because the holder's query rejects with it, that of an idle client because the
 * pool has removed it.
 */
function surviveErrors(pool: Pool): void {
  if (listenedTo.has(pool)) return;
  listenedTo.add(pool);
  pool.on('error', ignore);
  pool.on('acquire', (client) => {
    if (client.listenerCount('error', ignore) === 0) client.on('error', ignore);
  });
}

/** The private lists and methods of a pool of pg. */
interface PoolLists {
  readonly _clients?: readonly PoolClient[];
  readonly _idle?: readonly { readonly client: PoolClient }[];
  _remove?(client: PoolClient, removed: () => void): void;
  _pulseQueue?(): void;
}

/** The clients that a pool has lent, each with the `release` that pg has made for its loan. */
function loansOf(pool: Pool): ReadonlyMap<PoolClient, unknown> | undefined {
  const { _clients, _idle } = pool as PoolLists;
  if (_clients === undefined || _idle === undefined) return undefined;
  const idle = new Set(_idle.map(({ client }) => client));
  const loans = new Map<PoolClient, unknown>();
  for (const client of _clients) {
    const { release } = client as Partial<PoolClient>; // A client that connects has none.
    if (release !== undefined && !idle.has(client)) loans.set(client, release);
  }
  return loans;
}

function ignore(): void {}
