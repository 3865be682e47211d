/**
 * A pool for each key: for each tenant, shard or host. A key's pool is made when the key is first asked for, and forgotten
 * when it is empty. All pools share one limit on the number of resources.
 */
/// <reference lib="esnext.disposable" preserve="true" />

import type { RunInContext } from '../core/async-context.js';
import { endAutomaticWatch, notePart } from '../core/created-components.js';
import { errorText } from '../core/error-text.js';
import { AlreadyWatchedError } from '../core/errors.js';
import { guardedClock } from '../core/guarded-clock.js';
import { asksForPresent } from '../core/guarded-observer.js';
import { aFunction, aName, checkArgument, resolveOptions } from '../core/options.js';
import {
  type Observation,
  type Observer,
  observe,
  sharesComponent,
  type Watchable,
} from '../core/probe.js';
import { SiteSample } from '../core/site-sample.js';
import { CeilingShare } from './ceiling/ceiling-share.js';
import { SharedCeiling } from './ceiling/shared-ceiling.js';
import { DEADLINE_OPTIONS, type Deadline, type DeadlineOptions, withDeadline } from './deadline.js';
import { checkFactory, type DestroyReason, type Factory } from './factory.js';
import { KeyLabels } from './key-label.js';
import { KeyedEvents, type KeyedPoolListener } from './keyed-events.js';
import {
  type KeyedPoolLimits,
  type KeyedPoolSettings,
  limitsOfKey,
  resolveKeyedLimits,
} from './keyed-pool-options.js';
import { type KeyedPoolStats, KeyedTotals } from './keyed-stats.js';
import { KeyedWatch } from './keyed-watch.js';
import type { Lease } from './loan/lease.js';
import type { UseContext } from './loan/use-context.js';
import { Pool } from './pool.js';
import { PoolEngine } from './pool-engine.js';
import { PoolClosedError } from './pool-errors.js';
import type { PoolEventMap } from './pool-events.js';
import {
  type CloseOptions,
  checkValidation,
  type LeaseOptions,
  resolveCloseOptions,
} from './pool-options.js';
import { formatFigures, type LoanInfo } from './pool-stats.js';
import { resizePool } from './renewal.js';

/** A loan that is out, with its key. */
export interface KeyedLoanInfo<K> extends LoanInfo {
  /** The key whose resource is out. */
  readonly key: K;
}

interface Member<T> {
  readonly engine: PoolEngine<T>;
  readonly pool: Pool<T>;
  /** The label of its key, which is computed once. */
  readonly label: string;
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
  readonly #settings: KeyedPoolSettings<K>;
  readonly #ceiling: SharedCeiling;
  readonly #runInContext: RunInContext;
  readonly #events: KeyedEvents<K>;
  readonly #labels: KeyLabels<K>;
  readonly #totals = new KeyedTotals();
  readonly #sites: SiteSample;
  readonly #members = new Map<K, Member<T>>();
  #pruneSize = FIRST_PRUNE_SIZE;
  #state: 'open' | 'paused' | 'draining' | 'closed' = 'open';
  /** One for each observer. */
  readonly #watches = new Set<KeyedWatch>();
  /** Whether observers may have pools to watch that existed before they came. */
  #isPartlyWatched = false;

  /** @internal */
  constructor(
    factoryOf: (key: K) => Factory<T>,
    settings: KeyedPoolSettings<K>,
    runInContext: RunInContext,
  ) {
    this.#factoryOf = factoryOf;
    this.#settings = settings;
    this.#ceiling = new SharedCeiling(settings.maxTotal);
    this.#runInContext = runInContext;
    this.#events = new KeyedEvents(runInContext);
    this.#labels = new KeyLabels(settings.name, settings.keyLabel);
    this.#sites = new SiteSample(settings.callSites);
  }

  /** Lends a resource of the key until the lease is released. Rejects as {@link Pool.lease} does. */
  async lease(key: K, options?: LeaseOptions): Promise<Lease<T>> {
    return this.pool(key).lease(options);
  }

  /**
   * Lends a resource of the key if one is idle, as {@link Pool.tryLease} does.
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) once this is draining or closed.
   */
  tryLease(key: K): Lease<T> | undefined {
    const member = this.#member(key);
    if (member === undefined) this.#throwIfClosed();
    else if (this.#isPartlyWatched) this.#watchMember(member);
    return member === undefined ? this.#totals.countTryMiss() : member.pool.tryLease();
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
   * The pool of a key, made if there is none. An empty pool is forgotten and closed, so ask for it each time. A pool that
   * is paused, or that has limits of its own, is kept. A pool that was closed is replaced by a new one once it is empty.
   *
   * @throws {@link PoolClosedError} (`TENURE_POOL_CLOSED`) for a key without a pool, once this is draining or closed.
   */
  pool(key: K): Pool<T> {
    const member = this.#member(key) ?? this.#addMember(key);
    if (this.#isPartlyWatched) this.#watchMember(member);
    return member.pool;
  }

  /** Has observers watch the pool of a key before a loan of it begins. */
  #watchMember(member: Member<T>): void {
    for (const watch of this.#watches) watch.addPresent(member);
    this.#isPartlyWatched = [...this.#watches].some(({ isIncomplete }) => isIncomplete);
  }

  /** The member of a key, unless its pool was closed apart and is empty. */
  #member(key: K): Member<T> | undefined {
    const member = this.#members.get(key);
    if (member === undefined || !member.engine.isClosed || this.#isClosed) return member;
    if (member.pool.size > 0) return member;
    this.#forget(key, member);
    return undefined;
  }

  #addMember(key: K): Member<T> {
    this.#throwIfClosed();
    this.#forgetEmpty();
    const factory = this.#factoryOf(key);
    checkFactory('createKeyedPool', factory);
    checkValidation('createKeyedPool', factory, this.#settings);
    const label = this.#labels.of(key);
    this.#throwIfClosed(); // The user's functions may have closed this, or asked for the same key.
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const settings = { ...this.#settings, name: `${this.name}/${label}` };
    this.#sites.tick(0, guardedClock(settings.clock).now()); // A pool may be forgotten before its own first tick.
    const engine = new PoolEngine<T>(
      factory,
      settings,
      this.#runInContext,
      (host) => new CeilingShare(this.#ceiling, host),
      this.#sites,
    );
    const member = { engine, pool: new Pool(engine), label };
    this.#members.set(key, member);
    this.#events.add(key, engine.events);
    for (const watch of this.#watches) watch.add(member);
    notePart(member.pool, this); // Only now: this watch over it is the whole's.
    if (this.#state === 'paused') engine.pause();
    else if (settings.autostart) engine.start();
    return member;
  }

  #throwIfClosed(): void {
    if (this.#isClosed) throw new PoolClosedError(this.name, this.#state);
  }

  get #isClosed(): boolean {
    return this.#state === 'draining' || this.#state === 'closed';
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
  on<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E, T>): this {
    this.#events.on(event, listener as KeyedPoolListener<K, E>);
    return this;
  }

  /** Removes a listener that {@link KeyedPool.on} has added. */
  off<E extends keyof PoolEventMap>(event: E, listener: KeyedPoolListener<K, E, T>): this {
    this.#events.off(event, listener as KeyedPoolListener<K, E>);
    return this;
  }

  /** The figures of all keys together; `pool(key).stats()` has those of one key. O(keys). */
  stats(): KeyedPoolStats {
    return this.#totals.sum([...this.#members.values()].map(({ engine }) => engine.numbers()));
  }

  /** The loans that are out, with their keys, longest first. O(n log n). */
  loans(): KeyedLoanInfo<K>[] {
    return [...this.#members]
      .flatMap(([key, { pool }]) => pool.loans().map((loan) => ({ key, ...loan })))
      .sort((a, b) => b.heldMillis - a.heldMillis);
  }

  /** Lends and creates nothing for any key until {@link KeyedPool.resume}, as {@link Pool.pause} does. */
  pause(): void {
    if (this.#state === 'open') this.#state = 'paused';
    for (const pool of this.#pools()) pool.pause();
  }

  /** Ends {@link KeyedPool.pause}: serves the waiters of all keys. */
  resume(): void {
    if (this.#state === 'paused') this.#state = 'open';
    for (const pool of this.#pools()) pool.resume();
  }

  /**
   * Changes the limits at once, for present and later keys, as {@link Pool.resize} does. Resources beyond `maxTotal` are
   * destroyed: idle ones now, from the key that has lent nothing for the longest time; borrowed ones when they come back. A `min` or
   * `max` that a key has of its own stays unless it is given here, or does not fit what is given.
   *
   * @example
   * ```ts
   * import { createKeyedPool } from 'tenure/pool';
   *
   * const pools = createKeyedPool((host: string) => ({ create: () => ({ host }), destroy: () => {} }));
   * await pools.use('a.example', () => {});
   * await pools.use('b.example', () => {});
   * pools.resize({ max: 5, maxTotal: 1 });
   * pools.stats().available; // => 1
   * await pools.close();
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for malformed limits; then nothing changes.
   */
  resize(limits: Partial<KeyedPoolLimits>): void {
    const resolved = resolveKeyedLimits(limits, this.#settings);
    Object.assign(this.#settings, resolved);
    this.#ceiling.resize(resolved.maxTotal);
    for (const { engine } of this.#members.values()) {
      resizePool(engine, limitsOfKey(limits, engine.settings));
    }
  }

  /** Replaces the present resources of all keys, as {@link Pool.invalidate} does. */
  async invalidate(options: DeadlineOptions = {}): Promise<void> {
    const deadline = resolveOptions('invalidate', options, DEADLINE_OPTIONS);
    await this.#whenAll('invalidate', (pool) => pool.invalidate(), deadline);
  }

  /**
   * Destroys the resources for which `isChosen` answers true, as {@link Pool.evict} does. Returns how many there are. It may be called
   * after `close`, when a connection breaks. O(size).
   */
  evict(isChosen: (resource: T, key: K) => boolean, reason: DestroyReason = 'evicted'): number {
    checkArgument('evict', 'isChosen', isChosen, aFunction);
    checkArgument('evict', 'reason', reason, aName);
    let count = 0;
    for (const [key, { pool }] of [...this.#members]) {
      count += pool.evict((resource) => isChosen(resource, key), reason);
    }
    return count;
  }

  /** Rejects callers that come from now on, and serves the waiters of all keys, as {@link Pool.drain} does. */
  async drain(options: DeadlineOptions = {}): Promise<void> {
    const deadline = resolveOptions('drain', options, DEADLINE_OPTIONS);
    if (this.#state !== 'closed') this.#state = 'draining';
    await this.#whenAll('drain', (pool) => pool.drain(), deadline);
  }

  /**
   * Closes the pools of all keys at once, as {@link Pool.close} does. Rejects with the error of the pool that could not be
   * closed, or with an `AggregateError` if there are several.
   */
  async close(options: CloseOptions = {}): Promise<void> {
    resolveCloseOptions(options);
    this.#state = 'closed';
    for (const watch of this.#watches) watch.componentEnded();
    await settleAll(
      `${this.name}: close`,
      this.#pools().map((pool) => pool.close(options)),
    );
  }

  /** Calls `begin` for the pools of all keys, and follows what it returns until the deadline. */
  #whenAll(
    where: string,
    begin: (pool: Pool<T>) => Promise<void>,
    deadline: Deadline,
  ): Promise<void> {
    return withDeadline(
      settleAll(`${this.name}: ${where}`, this.#pools().map(begin)),
      deadline,
      this.#settings,
      where,
      () => formatFigures({ ...this.stats(), max: this.#settings.maxTotal }, this.loans()),
    );
  }

  #pools(): Pool<T>[] {
    return [...this.#members.values()].map(({ pool }) => pool);
  }

  /** Attaches an observer, such as a watchdog, to the pools of all keys, those that are made later included. */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    if (!sharesComponent(observer) && [...this.#watches].some(({ isMain }) => isMain)) {
      throw new AlreadyWatchedError(`The keyed pool '${this.name}'`);
    }
    for (const { engine } of this.#members.values()) {
      const main = engine.origins.watch?.observer.main;
      if (main === undefined || main.hasEnded === true) continue;
      if (sharesComponent(main) || sharesComponent(observer)) continue;
      throw new AlreadyWatchedError(`The pool '${engine.name}'`);
    }
    const watch: KeyedWatch = new KeyedWatch(
      this.name,
      () => ({ ...this.stats() }),
      () => this.#settings.maxTotal,
      observer,
      this.#events,
      this.#members.values(),
      () => this.#watches.delete(watch),
    );
    if (!asksForPresent(observer)) watch.reportPresent(Number.POSITIVE_INFINITY);
    this.#watches.add(watch);
    this.#isPartlyWatched = true;
    return watch;
  }

  /** Closes with the default grace. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Forgets keys without resources and waiters, so seldom that it costs O(1) a key. */
  #forgetEmpty(): void {
    if (this.#members.size < this.#pruneSize) return;
    for (const [key, member] of this.#members) {
      if (this.#mayForget(member)) this.#forget(key, member);
    }
    this.#pruneSize = Math.max(FIRST_PRUNE_SIZE, 2 * this.#members.size);
  }

  /** A pool that waits, or that the program has set apart from those of other keys, is no longer the same when it is made anew. */
  #mayForget({ engine, pool }: Member<T>): boolean {
    const { isAwaited, hasAbandoned, isBackingOff } = engine.creator;
    if (pool.size + pool.pending > 0 || isAwaited || hasAbandoned || isBackingOff) return false;
    if (pool.min > 0 || pool.max !== this.#settings.max) return false;
    return (engine.state !== 'paused' || this.#state === 'paused') && engine.state !== 'draining';
  }

  #forget(key: K, { engine, pool }: Member<T>): void {
    this.#members.delete(key);
    this.#events.remove(engine.events);
    this.#totals.forget(engine.numbers());
    for (const watch of this.#watches) watch.remove(pool);
    if (engine.ceilingShare !== null) this.#ceiling.remove(engine.ceilingShare);
    engine.close('forgotten');
  }
}

/** Settles when all have settled. Rejects with what one has rejected with, or with an `AggregateError` if there are several. */
async function settleAll(where: string, promises: readonly Promise<void>[]): Promise<void> {
  const errors = new Set<unknown>();
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') errors.add(outcome.reason);
  }
  if (errors.size === 1) throw [...errors][0];
  if (errors.size > 1) {
    const [first] = errors;
    throw new AggregateError(
      errors,
      `${where}() failed for ${errors.size} keys. First: ${errorText(first)}`,
    );
  }
}
