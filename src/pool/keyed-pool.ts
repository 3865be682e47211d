/**
 * A pool for each key: for each tenant, shard or host. A key's pool is made when the key is first asked for, and forgotten
 * when it is empty. All pools share one limit on the number of resources.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { RunInContext } from '../core/async-context.js';
import { AlreadyWatchedError } from '../core/errors.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { CeilingShare } from './ceiling/ceiling-share.js';
import { SharedCeiling } from './ceiling/shared-ceiling.js';
import { checkFactory, type Factory } from './factory.js';
import { Keeper } from './keeper.js';
import { KeyedEvents, type KeyedPoolListener } from './keyed-events.js';
import type { KeyedPoolSettings } from './keyed-pool-options.js';
import { KeyedWatch } from './keyed-watch.js';
import type { Lease } from './loan/lease.js';
import type { UseContext } from './loan/use-context.js';
import { Pool } from './pool.js';
import { PoolClosedError } from './pool-errors.js';
import type { PoolEventMap } from './pool-events.js';
import { type CloseOptions, checkValidation, type LeaseOptions } from './pool-options.js';

/** The figures of all keys together. */
export interface KeyedPoolStats {
  /** Keys that have resources or waiters. */
  readonly keys: number;
  /** Resources in any state. */
  readonly size: number;
  /** Idle resources. */
  readonly available: number;
  /** Resources that callers hold. */
  readonly borrowed: number;
  /** Callers that wait. */
  readonly pending: number;
}

/** From this many keys on, empty pools are looked for. */
const FIRST_PRUNE_SIZE = 16;

/**
 * Pools by key, made by `createKeyedPool`. When `maxTotal` is reached, a key that needs a resource gets one from another key.
 * The key that has lent nothing for the longest time gives up an idle resource. If no resource is idle, a key whose waiters came
 * later gives up the next resource that comes back to it.
 *
 * Each key's pool is a pool like any other: `pool(key)` gives it. A watchdog may watch one of them, or all as one.
 */
export class KeyedPool<K, T> implements AsyncDisposable, Watchable {
  readonly #factoryOf: (key: K) => Factory<T>;
  readonly #settings: KeyedPoolSettings;
  readonly #ceiling: SharedCeiling;
  readonly #runInContext: RunInContext;
  readonly #events: KeyedEvents<K>;
  readonly #members = new Map<K, { readonly keeper: Keeper<T>; readonly pool: Pool<T> }>();
  #pruneSize = FIRST_PRUNE_SIZE;
  #isClosed = false;
  #watch: KeyedWatch | null = null;

  /** @internal */
  constructor(
    factoryOf: (key: K) => Factory<T>,
    settings: KeyedPoolSettings,
    runInContext: RunInContext,
  ) {
    this.#factoryOf = factoryOf;
    this.#settings = settings;
    this.#ceiling = new SharedCeiling(settings.maxTotal);
    this.#runInContext = runInContext;
    this.#events = new KeyedEvents(runInContext);
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
   * The pool of a key, made if there is none. An empty pool is forgotten and closed, so ask for it anew each time.
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) once this is closed.
   */
  pool(key: K): Pool<T> {
    const known = this.#members.get(key);
    if (known !== undefined) return known.pool;
    if (this.#isClosed) throw new PoolClosedError(this.name, 'closed');
    this.#prune();
    const factory = this.#factoryOf(key);
    checkFactory('createKeyedPool', factory);
    checkValidation('createKeyedPool', factory, this.#settings);
    const settings = { ...this.#settings, name: `${this.name}/${String(key)}` };
    const keeper = new Keeper<T>(
      factory,
      settings,
      this.#runInContext,
      (host) => new CeilingShare(this.#ceiling, host),
    );
    const pool = new Pool(keeper);
    this.#members.set(key, { keeper, pool });
    this.#events.add(key, keeper.events);
    this.#watch?.add(pool);
    if (keeper.ceilingShare !== null) this.#ceiling.add(keeper.ceilingShare);
    if (settings.autostart) keeper.start();
    return pool;
  }

  /** The name in errors and reports; each key's pool has the key behind it. */
  get name(): string {
    return this.#settings.name;
  }

  /** The keys that have a pool. O(keys). */
  keys(): K[] {
    return [...this.#members.keys()];
  }

  /**
   * Adds a listener to an event of the pools of all keys, those that are made later included. It is called with the key and
   * with what a listener of {@link Pool.on} gets.
   *
   * @example
   * ```ts
   * import { createKeyedPool } from 'tenure/pool';
   *
   * const pools = createKeyedPool((host: string) => ({ create: () => ({ host }), destroy: () => {} }));
   * const created: string[] = [];
   * pools.on('created', ({ key }) => created.push(key));
   * await pools.use('a.example', () => {});
   * created; // => ['a.example']
   * await pools.close();
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  on<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E>): this {
    this.#events.on(event, listener);
    return this;
  }

  /** Removes a listener that {@link KeyedPool.on} has added. */
  off<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E>): this {
    this.#events.off(event, listener);
    return this;
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
   * Closes the pools of all keys at once, as {@link Pool.close} does. Rejects with the error of the pool that could not be
   * closed, or with an `AggregateError` if there are several.
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

  /** Attaches an observer, such as a watchdog, to the pools of all keys, those that are made later included. */
  [observe](observer: Observer): Observation {
    if (this.#watch !== null) throw new AlreadyWatchedError(`The keyed pool '${this.name}'`);
    const watch = new KeyedWatch(
      this.name,
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

  /** Closes with the default grace. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Forgets keys without resources and waiters, so seldom that it costs O(1) a key. */
  #prune(): void {
    if (this.#members.size < this.#pruneSize) return;
    for (const [key, { keeper, pool }] of this.#members) {
      if (pool.size + pool.pending > 0 || pool.min > 0) continue;
      this.#members.delete(key);
      this.#events.remove(keeper.events);
      this.#watch?.remove(pool);
      if (keeper.ceilingShare !== null) this.#ceiling.remove(keeper.ceilingShare);
      void pool.close();
    }
    this.#pruneSize = Math.max(FIRST_PRUNE_SIZE, 2 * this.#members.size);
  }
}
