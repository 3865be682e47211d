/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A pool for each key: for each tenant, each shard, each host. The pools are made when their keys are first asked for and forgotten
 * when they are empty; what they share is a limit on how many resources there may be in all.
 */

import type { RunInContext } from '../core/async-context.js';
import { captureAsyncContext } from '../core/async-context.js';
import { AlreadyWatchedError, InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument, integer } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { SharedCeiling } from './ceiling/shared-ceiling.js';
import type { Factory } from './factory.js';
import { Keeper } from './keeper.js';
import { KeyedWatch } from './keyed-watch.js';
import type { Lease } from './loan/lease.js';
import type { UseContext } from './loan/use-context.js';
import { Pool } from './pool.js';
import { PoolClosedError } from './pool-errors.js';
import {
  type CloseOptions,
  type LeaseOptions,
  type PoolOptions,
  resolvePoolOptions,
} from './pool-options.js';

/** Options of a {@link KeyedPool}: those of each key's pool, and the limit of all together. */
export interface KeyedPoolOptions extends PoolOptions {
  /** How many resources there may be for all keys together. @default Infinity */
  readonly maxTotal?: number;
}

/** The figures of all keys together. */
export interface KeyedPoolStats {
  /** Keys that have resources or callers. */
  readonly keys: number;
  /** Resources in any state. */
  readonly size: number;
  /** Idle resources. */
  readonly available: number;
  /** Resources that somebody holds. */
  readonly borrowed: number;
  /** Callers who wait. */
  readonly pending: number;
}

/**
 * Pools by key, with a limit for each key (`max`) and one for all (`maxTotal`). Where that is reached, an idle resource of the
 * key that has lent nothing for the longest time leaves for a key that needs one; if none is idle, the next that comes back does
 * whose own callers came later. Keys are compared as those of a `Map`.
 *
 * Each key's pool is a pool like any other: `pool(key)` gives it. A watchdog may watch one of them, or all as one.
 *
 * @example
 * ```ts
 * import { KeyedPool } from 'tenure/pool';
 *
 * const connect = (host: string) => ({ create: () => ({ host }), destroy: () => {} });
 * const pool = new KeyedPool(connect, { max: 4, maxTotal: 20 });
 * await pool.use('a.example', (connection) => connection.host); // => 'a.example'
 * const lease = await pool.lease('b.example');
 * pool.stats(); // => { keys: 2, size: 2, available: 1, borrowed: 1, pending: 0 }
 * lease.release();
 * await pool.close();
 * ```
 */
export class KeyedPool<K, T> implements AsyncDisposable, Watchable {
  readonly #factoryOf: (key: K) => Factory<T>;
  readonly #options: PoolOptions;
  readonly #ceiling: SharedCeiling;
  readonly #runInContext: RunInContext;
  readonly #members = new Map<K, { readonly keeper: Keeper<T>; readonly pool: Pool<T> }>();
  /** How many keys there may be before empty ones are looked for. */
  #pruneAt = 16;
  #isClosed = false;
  #watch: KeyedWatch | null = null;

  /**
   * `factoryOf` gives the factory of a key, when the key is first asked for.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a wrong `maxTotal`. Other options are checked with a
   * key's factory, when it is first asked for.
   */
  constructor(factoryOf: (key: K) => Factory<T>, options: KeyedPoolOptions = {}) {
    checkArgument('new KeyedPool', 'factoryOf', factoryOf, aFunction);
    if (typeof options !== 'object' || options === null) {
      throw new InvalidArgumentError('new KeyedPool: `options` must be an object.');
    }
    const { maxTotal = Number.POSITIVE_INFINITY, ...poolOptions } = options;
    if (maxTotal !== Number.POSITIVE_INFINITY) {
      checkArgument('new KeyedPool', 'maxTotal', maxTotal, integer(1));
    }
    this.#factoryOf = factoryOf;
    this.#options = poolOptions;
    this.#ceiling = new SharedCeiling(maxTotal);
    this.#runInContext = captureAsyncContext();
  }

  /** Lends a resource of the key until the lease is released. Rejects as {@link Pool.lease} does. */
  async lease(key: K, options?: LeaseOptions): Promise<Lease<T>> {
    return this.pool(key).lease(options);
  }

  /** Lends a resource of the key if one is idle. */
  tryLease(key: K): Lease<T> | undefined {
    return this.#members.get(key)?.pool.tryLease();
  }

  /** Calls `fn` with a resource of the key, as {@link Pool.use} does. */
  async use<R>(
    key: K,
    fn: (resource: T, context: UseContext<T>) => R,
    options?: LeaseOptions,
  ): Promise<Awaited<R>> {
    return this.pool(key).use(fn, options);
  }

  /**
   * The pool of a key, made if there is none. It is forgotten when it is empty, so ask for it anew each time.
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) once this is closed.
   */
  pool(key: K): Pool<T> {
    const known = this.#members.get(key);
    if (known !== undefined) return known.pool;
    const name = this.#name;
    if (this.#isClosed) throw new PoolClosedError(name, 'closed');
    this.#prune();
    const factory = this.#factoryOf(key);
    const settings = resolvePoolOptions(factory, {
      ...this.#options,
      name: `${name}/${String(key)}`,
    });
    const keeper = new Keeper(factory, settings, this.#runInContext, this.#ceiling);
    const pool = new Pool(keeper);
    this.#members.set(key, { keeper, pool });
    this.#watch?.add(pool);
    if (keeper.ceilingShare !== null) this.#ceiling.add(keeper.ceilingShare);
    if (settings.autostart) keeper.start();
    return pool;
  }

  /** The keys that have a pool. O(keys). */
  keys(): K[] {
    return [...this.#members.keys()];
  }

  /** The figures of all keys together. O(keys). */
  stats(): KeyedPoolStats {
    const sum = { keys: 0, size: 0, available: 0, borrowed: 0, pending: 0 };
    for (const { pool } of this.#members.values()) {
      if (pool.size + pool.pending > 0) sum.keys++;
      sum.size += pool.size;
      sum.available += pool.available;
      sum.borrowed += pool.borrowed;
      sum.pending += pool.pending;
    }
    return sum;
  }

  /**
   * Closes the pools of all keys, at once, as {@link Pool.close} does. Rejects with the error of the one that could not be
   * closed, or with an `AggregateError` of all theirs.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    this.#isClosed = true;
    const closing = [...this.#members.values()].map(({ pool }) => pool.close(options));
    const failures = (await Promise.allSettled(closing)).flatMap((outcome) =>
      outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
    );
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) {
      throw new AggregateError(failures, 'The pools of several keys could not be closed.');
    }
  }

  /** Attaches an observer, such as a watchdog's, to the pools of all keys, those that are still to be made among them. */
  [observe](observer: Observer): Observation {
    if (this.#watch !== null) throw new AlreadyWatchedError(`The keyed pool '${this.#name}'`);
    const watch = new KeyedWatch(
      this.#name,
      () => ({ ...this.stats() }),
      observer,
      () => {
        this.#watch = null;
      },
    );
    try {
      for (const { pool } of this.#members.values()) watch.add(pool);
    } catch (error) {
      watch[Symbol.dispose]();
      throw error;
    }
    this.#watch = watch;
    return watch;
  }

  get #name(): string {
    return this.#options.name ?? 'pool';
  }

  /** Closes with the default grace. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Forgets keys without resources and callers, now and then, so that each costs O(1) in the long run. */
  #prune(): void {
    if (this.#members.size < this.#pruneAt) return;
    for (const [key, { keeper, pool }] of this.#members) {
      if (pool.size + pool.pending > 0 || pool.min > 0) continue;
      this.#members.delete(key);
      this.#watch?.remove(pool);
      if (keeper.ceilingShare !== null) this.#ceiling.remove(keeper.ceilingShare);
      void pool.close();
    }
    this.#pruneAt = Math.max(16, 2 * this.#members.size);
  }
}
