/**
 * The watchdog: ties pools, caches and weak maps to a simulated garbage collector, and V8's to both. The simulated heap knows
 * exactly what the program still *owns*: its reference counts say at once when a loan's owner is gone. V8's collector knows
 * what the program can still *reach*, and confirms it. Neither alone can name a leak: V8 sees a connection that its pool
 * keeps alive, and a simulated heap cannot see a variable.
 *
 * ```
 *                     simulated: the scope that took it
 *                       running            has ended
 *   V8: capability
 *       reachable       in use             ORPHANED (probable)
 *       collected       ABANDONED          ORPHANED (certain)
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Clock } from '../core/clock.js';
import { EventListeners } from '../core/event-listeners.js';
import { aFunction, aName, checkArgument, type OptionCheck } from '../core/options.js';
import { isWatchable, type Observation, observe, type Watchable } from '../core/probe.js';
import type { BaseHeap } from '../gc/base-heap.js';
import { ComponentWatch } from './component-watch.js';
import { type GcSource, hostGcSource } from './gc-source.js';
import type { LedgerEvents } from './leak-ledger.js';
import type { LeakReport } from './leak-report.js';
import type { WatchLevel } from './level.js';
import { LoanTracker } from './loan-tracker.js';
import { Sweep } from './sweep.js';
import { LeaksFoundError, NoCollectorError } from './watchdog-errors.js';
import {
  type CheckOptions,
  type LeakListener,
  resolveCheckOptions,
  resolveWatchdogOptions,
  type WatchdogEvent,
  type WatchdogOptions,
} from './watchdog-options.js';

/** What a {@link Watchdog} has seen so far. */
export interface WatchdogStats {
  /** Components that are watched. */
  readonly components: number;
  /** Loans that are out. */
  readonly loansOut: number;
  /** Loans handed out since the start. */
  readonly loans: number;
  /** Loans that count as lost. */
  readonly lost: number;
  /** Loans that counted as lost and came back. */
  readonly retracted: number;
  /** Scopes that are running. */
  readonly scopes: number;
}

/**
 * Watches pools, caches and weak maps, and says which line lost what it took.
 *
 * Every loan is a node of a simulated heap that copies CPython's: the scope that took it holds it. When the scope ends
 * and the loan's reference count drops to 0 while it is still out, it is *orphaned*, known at once and without V8. When
 * V8 collects the lease itself, it is *abandoned*, which is proof. When it reaches the oldest generation while loans
 * around it came and went, it is *tenured*, which is a suspicion.
 *
 * With a watchdog attached, a lease and its release cost about 1 µs more, half of that if it ends at once, and with its
 * stack 5 to 12 µs (see {@link WatchLevel}); a component that is not watched pays one null check.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 2 });
 * watchdog.watch(pool);
 *
 * await watchdog.scope('GET /orders', async () => {
 *   await pool.lease(); // Never released.
 * });
 *
 * const [leak] = await watchdog.check();
 * leak?.rule; // => 'orphaned'
 * leak?.scope; // => 'GET /orders'
 * leak?.component.name; // => 'db'
 * await pool.close({ graceMillis: 0, force: true });
 * ```
 */
export class Watchdog implements Disposable {
  readonly #level: WatchLevel;
  readonly #clock: Clock;
  readonly #gcSource: GcSource | undefined;
  readonly #listeners: EventListeners<LedgerEvents> = new EventListeners('a watchdog', [
    'leak',
    'retracted',
  ]);
  readonly #tracker: LoanTracker;
  readonly #sweep: Sweep;
  readonly #watches = new Set<ComponentWatch>();
  readonly #collected: FinalizationRegistry<ComponentWatch>;
  #disposed = false;

  /**
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(options: WatchdogOptions = {}) {
    const settings = resolveWatchdogOptions(options);
    this.#level = settings.level;
    this.#clock = settings.clock;
    this.#gcSource = settings.gcSource ?? hostGcSource();
    if (settings.onLeak !== undefined) this.#listeners.on('leak', settings.onLeak);
    this.#tracker = new LoanTracker(settings, this.#listeners);
    this.#sweep = new Sweep(settings.clock, settings.sweepIntervalMillis, () => this.#judge());
    this.#collected = new FinalizationRegistry((watch) => this.#unwatch(watch));
  }

  /** The simulated heap, to look at: its counters, its collector, the path that keeps a node alive. */
  get heap(): BaseHeap {
    this.#tracker.settleAll();
    return this.#tracker.graph.heap;
  }

  /**
   * Watches a pool, a cache, a weak map, or anything else that speaks the probe protocol. The component is held weakly.
   * Disposing of what is returned ends the watch; so does disposing of the watchdog.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the component cannot be watched.
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another watchdog watches it.
   */
  watch(component: Watchable): Disposable {
    checkArgument('watchdog.watch', 'component', component, aWatchable);
    if (this.#level === 'off' || this.#disposed) return { [Symbol.dispose]() {} };
    const watch = new ComponentWatch(this.#tracker);
    let observation: Observation;
    try {
      observation = component[observe](watch);
    } catch (error) {
      watch.close();
      throw error;
    }
    watch.attached(observation);
    this.#watches.add(watch);
    this.#collected.register(observation, watch, watch);
    if (this.#tracker.needsSweep) this.#sweep.start();
    return { [Symbol.dispose]: () => this.#unwatch(watch) };
  }

  /**
   * Calls `body` as a scope: a request, a job, a test. What is leased within it, across awaits and timers, has to be
   * given back by the time it ends: when `body` returns or, if it returns a promise, when that settles. Scopes nest.
   *
   * A thenable that is no promise is adopted as one. Where the host has no async context (no AsyncLocalStorage), a scope
   * covers the synchronous part of `body` only.
   *
   * @example
   * ```ts
   * import { Watchdog } from 'tenure/watchdog';
   *
   * using watchdog = new Watchdog();
   * watchdog.scope('sum', () => 1 + 2); // => 3
   * await watchdog.scope('job', async () => 'done'); // => 'done'
   * ```
   */
  scope<T>(name: string, body: () => T): T {
    checkArgument('watchdog.scope', 'name', name, aName);
    checkArgument('watchdog.scope', 'body', body, aFunction);
    if (this.#level === 'off' || this.#disposed) return body();
    return this.#tracker.scopes.run(name, body);
  }

  /**
   * Judges the loans that are out and returns the leaks that have not come back, the most numerous first.
   *
   * @throws {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) for `forceGc` where there is no collector to run.
   */
  async check(options: CheckOptions = {}): Promise<LeakReport[]> {
    const { settleMillis, forceGc } = resolveCheckOptions(options);
    this.#tracker.settleAll();
    if (forceGc) {
      if (this.#gcSource === undefined) throw new NoCollectorError();
      await this.#gcSource.collect();
    }
    this.#judge();
    await this.#tracker.ledger.noneLost(settleMillis);
    return this.#tracker.ledger.reports();
  }

  /**
   * Resolves if nothing leaks. Runs V8's collector first where there is one.
   *
   * @throws {@link LeaksFoundError} (`TENURE_LEAKS_FOUND`) with the reports; its message is the formatted report.
   */
  async assertNoLeaks(options: CheckOptions = {}): Promise<void> {
    const reports = await this.check({ forceGc: this.#gcSource !== undefined, ...options });
    if (reports.length > 0) throw new LeaksFoundError(reports);
  }

  /**
   * Adds a listener. `'leak'` is told of a leak when it is found, and again when its count has doubled; `'retracted'`
   * when a loan that counted as lost comes back, with what is left of that leak.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event or a listener that is no function.
   */
  on(event: WatchdogEvent, listener: LeakListener): this {
    this.#listeners.on(event, listener);
    return this;
  }

  /**
   * Removes a listener; one that is not there is ignored.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  off(event: WatchdogEvent, listener: LeakListener): this {
    this.#listeners.off(event, listener);
    return this;
  }

  /** What has been seen so far. */
  stats(): WatchdogStats {
    const { loans, ledger, scopes } = this.#tracker;
    let loansOut = 0;
    for (const watch of this.#watches) loansOut += watch.loansOut;
    return {
      components: this.#watches.size,
      loansOut,
      loans,
      lost: ledger.lost,
      retracted: ledger.retracted,
      scopes: scopes.running,
    };
  }

  /** Ends every watch and the timer. The components live on, unwatched. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const watch of [...this.#watches]) this.#unwatch(watch);
    this.#tracker.ledger.close();
    this.#listeners.clear();
  }

  #unwatch(watch: ComponentWatch): void {
    if (!this.#watches.delete(watch)) return;
    this.#collected.unregister(watch);
    watch.close();
    if (this.#watches.size === 0) this.#sweep.stop();
  }

  #judge(): void {
    const now = this.#clock.now();
    for (const watch of this.#watches) {
      for (const loan of watch.loans()) this.#tracker.judge(loan, now);
    }
  }
}

const aWatchable: OptionCheck = (value) =>
  isWatchable(value) ? undefined : 'a component that can be watched: a pool, a cache, a weak map';
