/**
 * The watchdog finds the loans that are never released, by two garbage collectors.
 *
 * - The *simulated heap* knows what the program owns. Its reference counts say at once when the owner of a loan is gone. It
 *   cannot see variables.
 * - *V8's collector* knows what the program can reach. It confirms a leak, but late and without a name. It cannot find one
 *   alone: a pool keeps each of its connections alive, lost or not.
 *
 * ```
 *                       simulated heap: the scope that took the loan
 *                         is running          has ended
 *   V8: the lease
 *       is reachable      in use              ORPHANED (probable)
 *       was collected     ABANDONED           ORPHANED (certain)
 * ```
 *
 * The parts, from a component to a report:
 *
 * ```
 *   component ──probe──▶ ComponentWatch ──▶ LoanTracker ──▶ rules ──▶ LeakLedger ──▶ listeners, check
 *                                               │
 *                                               ├──▶ LifetimeGraph, in the simulated heap
 *                                               └──▶ Scopes
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { captureStack, learnOwnFrames, mustLearnOwnFrames } from '../core/call-site.js';
import { EventListeners } from '../core/event-listeners.js';
import { type GcSource, hostGcSource, NoCollectorError } from '../core/gc-source.js';
import { ListenerWatch } from '../core/listener-watch.js';
import {
  aFunction,
  aName,
  checkArgument,
  type OptionCheck,
  resolveOptions,
} from '../core/options.js';
import {
  aWatchable,
  handOver,
  isTransferable,
  type Transferable,
  type Watchable,
} from '../core/probe.js';
import { aWeakKey } from '../core/weak-key.js';
import type { BaseHeap } from '../gc/base-heap.js';
import { suppressedNotes } from './baseline.js';
import { NO_ORIGIN } from './call-origin.js';
import { ComponentWatches, type LineOut } from './component-watches.js';
import type { LedgerEvents } from './leak-ledger.js';
import type { LeakReport } from './leak-report.js';
import type { WatchLevel } from './level.js';
import type { Loan } from './loan.js';
import { LoanTracker } from './loan-tracker.js';
import { OPEN_SCOPE_OPTIONS, OpenScope, type OpenScopeOptions } from './open-scope.js';
import { READINGS, type Readings } from './readings.js';
import { LeaksFoundError } from './watchdog-errors.js';
import { WatchdogListeners } from './watchdog-listeners.js';
import {
  type CheckOptions,
  type CheckSettings,
  type LeakListener,
  resolveCheckOptions,
  resolveWatchdogOptions,
  type WatchdogEvent,
  type WatchdogOptions,
} from './watchdog-options.js';
import type { WatchdogStats } from './watchdog-stats.js';

/**
 * A watch over pools, caches and weak maps that names the line which lost a resource.
 *
 * Each loan is a node of a simulated heap that copies CPython's. The scope that took the loan holds it. Rules judge the loans, and what
 * becomes more and more. The first of them:
 *
 * - *orphaned*: the scope has ended, and the loan's reference count has dropped to 0 while the loan is out. This is known at
 *   once, without V8.
 * - *abandoned*: V8 has collected the lease. This is proof.
 * - *tenured*: the loan has reached the oldest generation while the loans around it came and went. This is a suspicion.
 * - *exhausted*: every resource is out, callers wait or leave without one, and nothing has come back for long.
 *
 * Watching adds about 0.2 µs to a lease and its release, and 1 µs more in a scope or if the lease is out for a tenth of a second. A stack
 * takes 5 to 100 µs, see {@link WatchLevel}. A component that is not watched pays one null check.
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
  readonly #gcSource: GcSource | undefined;
  readonly #listeners: EventListeners<LedgerEvents> = new EventListeners('a watchdog', [
    'leak',
    'retracted',
  ]);
  readonly #tracker: LoanTracker;
  readonly #watches: ComponentWatches;
  #disposed = false;
  /** Whether a check without a leak means something: the watchdog has watched something, or is off on purpose. */
  #hasWatched: boolean;

  /**
   * Watches nothing yet.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(options?: WatchdogOptions);
  /** @internal `readings` replaces what the rules read. */
  constructor(options: WatchdogOptions, readings: Readings);
  constructor(options: WatchdogOptions = {}, readings: Readings = READINGS) {
    const settings = resolveWatchdogOptions(options);
    this.#level = settings.level;
    this.#hasWatched = settings.level === 'off';
    this.#gcSource = settings.gcSource ?? hostGcSource();
    if (settings.onLeak !== undefined) this.#listeners.on('leak', settings.onLeak);
    this.#tracker = new LoanTracker(settings, this.#listeners, readings);
    if (settings.level !== 'off') {
      new ListenerWatch(new WatchdogListeners(this.#tracker), this.#listeners);
    }
    this.#watches = new ComponentWatches(
      this.#tracker,
      settings.clock,
      settings.sweepIntervalMillis,
    );
  }

  /** The simulated heap, to inspect: its counters, its collector, the path from a root to a node. Do not change it. */
  get heap(): BaseHeap {
    this.#tracker.settleHeap();
    return this.#tracker.graph.heap;
  }

  /**
   * Watches a pool, a cache, a weak map, or another component that implements `[observe]`. The watchdog holds it weakly. The
   * watch ends when the result or the watchdog is disposed of.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the component cannot be watched.
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while a watchdog watches it.
   */
  watch(component: Watchable): Disposable {
    checkArgument('watchdog.watch', 'component', component, aWatchable);
    if (this.#level === 'off' || this.#disposed) return { [Symbol.dispose]() {} };
    this.#hasWatched = true;
    const watch = this.#watches.begin(component, captureStack(Watchdog.prototype.watch));
    return { [Symbol.dispose]: () => this.#watches.end(watch) };
  }

  /**
   * Calls `body` as a scope, such as a request, a job or a test, and gives its result. Loans taken within the scope, across
   * awaits and timers, have to be released before it ends. It ends when `body` returns or throws or, if it returns a promise,
   * when that settles. Scopes nest.
   *
   * A thenable that is no promise is adopted as one. Without AsyncLocalStorage in the host, a scope covers only the
   * synchronous part of `body`.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty name or a body that is no function.
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
  scope<T>(name: string, body: (scope: OpenScope) => T): T {
    checkArgument('watchdog.scope', 'name', name, aName);
    checkArgument('watchdog.scope', 'body', body, aFunction);
    if (this.#level === 'off' || this.#disposed) return body(this.#tracker.scopes.ended(name));
    if (mustLearnOwnFrames()) this.#learnOwnFrames(name);
    return this.#tracker.scopes.run(name, body);
  }

  /** A method of its own, so that no other call of {@link scope} allocates a closure. */
  #learnOwnFrames(name: string): void {
    learnOwnFrames(Watchdog.prototype.scope, (call) => this.scope(name, call));
  }

  /**
   * Opens a scope that the caller ends, for work that no function body spans. Use {@link Watchdog.scope} where one does.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an empty name, and for a malformed option.
   *
   * @example
   * ```ts
   * import { Watchdog } from 'tenure/watchdog';
   *
   * using watchdog = new Watchdog();
   * const scope = watchdog.openScope('job 17');
   * scope.run(() => 'work'); // => 'work'
   * watchdog.stats().scopes; // => 1
   * scope.end();
   * watchdog.stats().scopes; // => 0
   * ```
   */
  openScope(name: string, options: OpenScopeOptions = {}): OpenScope {
    checkArgument('watchdog.openScope', 'name', name, aName);
    const { request } = resolveOptions('watchdog.openScope', options, OPEN_SCOPE_OPTIONS);
    const { scopes } = this.#tracker;
    return this.#level === 'off' || this.#disposed
      ? scopes.ended(name)
      : scopes.open(name, request);
  }

  /**
   * Says that `to` holds a loan from now on: a scope of this watchdog, or `'process'` for a loan that no scope holds. The scope that
   * took the loan may end without it.
   *
   * `lease` is the object that ends the loan, such as a lease of a pool, or a stack with what is in it. Without effect if the loan has
   * ended or is not watched.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an object that is no lease, and for a scope that has
   * ended or belongs to another watchdog.
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   * import { Watchdog } from 'tenure/watchdog';
   *
   * using watchdog = new Watchdog();
   * const pool = createPool({ create: () => ({}), destroy: () => {} });
   * watchdog.watch(pool);
   * const upload = watchdog.openScope('upload');
   * const lease = await watchdog.scope('POST /files', async () => {
   *   const taken = await pool.lease();
   *   watchdog.handOver(taken, upload);
   *   return taken;
   * });
   * await watchdog.check(); // => []
   * await lease.release();
   * upload[Symbol.dispose]();
   * await pool.close();
   * ```
   */
  handOver(lease: Transferable, to: OpenScope | 'process'): void {
    checkArgument('watchdog.handOver', 'lease', lease, aTransferable);
    if (this.#level === 'off' || this.#disposed) return;
    checkArgument('watchdog.handOver', 'to', to, (value) => this.#refusalOf(value));
    lease[handOver](to === 'process' ? NO_ORIGIN : to);
  }

  #refusalOf(to: unknown): string | undefined {
    if (to === 'process') return undefined;
    return to instanceof OpenScope && !to.ended && this.#tracker.scopes.isOwn(to)
      ? undefined
      : "a scope of this watchdog that is running, or 'process'";
  }

  /**
   * Says that no code should need `target` any more, so that V8 should collect it. If it is still alive after some of V8's full
   * collections, or after that of a check with `forceGc`, the rule *retained* reports it. `why` names it in the report. The watchdog
   * does not keep it alive.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a target that is no object, and for an empty `why`.
   *
   * @example
   * ```ts
   * import { Watchdog } from 'tenure/watchdog';
   *
   * using watchdog = new Watchdog();
   * const kept = [{ id: 7 }];
   * watchdog.expectCollected(kept[0] ?? {}, 'session 7');
   * const [leak] = await watchdog.check({ forceGc: true });
   * [leak?.rule, leak?.component.name]; // => ['retained', 'session :id']
   * kept.length; // => 1
   * ```
   */
  expectCollected(target: WeakKey, why: string): void {
    checkArgument('watchdog.expectCollected', 'target', target, aWeakKey);
    checkArgument('watchdog.expectCollected', 'why', why, aName);
    if (this.#level === 'off' || this.#disposed) return;
    this.#hasWatched = true;
    const { collections, names } = this.#tracker;
    const stack = captureStack(Watchdog.prototype.expectCollected);
    collections.expect(target, names.code.of(why), stack, this.#tracker.currentScope());
    this.#watches.beginSweep();
  }

  /**
   * Judges the loans that are out and gives the leaks, the most numerous first. O(loans that are out).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   * @throws {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) for `forceGc` where the host exposes no collector.
   */
  async check(options: CheckOptions = {}): Promise<LeakReport[]> {
    return this.#check(resolveCheckOptions(options));
  }

  async #check({ graceMillis, forceGc, scope }: CheckSettings): Promise<LeakReport[]> {
    this.#tracker.releaseCapabilities();
    if (forceGc) {
      if (this.#gcSource === undefined) throw new NoCollectorError();
      await this.#gcSource.collect();
      await this.#tracker.collections.followV8(() => this.#tracker.settleHeap());
    }
    this.#watches.judge(forceGc);
    const { ledger, scopes } = this.#tracker;
    const isMeant = ({ origin }: Loan): boolean =>
      scope === undefined || origin.scope?.isWithin(scope) === true;
    await ledger.untilNoneLost(graceMillis, isMeant);
    scopes.settleEnded();
    return scope === undefined ? ledger.reports() : ledger.reportsOf(isMeant);
  }

  /**
   * Judges the loans that are out and gives the leaks at once, the most numerous first. It waits for nothing, so a listener of
   * the exit of the process can use it. O(loans that are out).
   */
  checkNow(): LeakReport[] {
    this.#tracker.settleAll();
    this.#watches.judge(false);
    return this.#tracker.ledger.reports();
  }

  /**
   * Resolves if {@link check} finds no leak. Runs V8's collector first where the host exposes it.
   *
   * Loans that are out, and that no running scope and no `expectHold` explains, are no leaks: they may be in use. One line on
   * stderr says how many there are, and of what. One line says so if nothing is watched: no `watch` was called, or the watchdog was
   * disposed of.
   *
   * @throws {@link LeaksFoundError} (`TENURE_LEAKS_FOUND`) with the reports; its message is the formatted report.
   */
  async assertNoLeaks(options: CheckOptions = {}): Promise<void> {
    const settings = resolveCheckOptions(options, { forceGc: this.#gcSource !== undefined });
    const reports = await this.#check(settings);
    const stillOut = this.#watches.describeStillOut();
    const { unreported, suppressed } = this.stats();
    if (reports.length > 0) throw new LeaksFoundError(reports, unreported, stillOut, suppressed);
    const notes = [
      ...(this.#hasWatched ? [] : ['nothing is watched']),
      ...suppressedNotes(suppressed),
      ...(stillOut === '' ? [] : [stillOut]),
    ];
    if (notes.length > 0) console.warn(`tenure: no leak was found; ${notes.join('; ')}`);
  }

  /**
   * Adds a listener. An error that it throws is printed and ignored.
   *
   * - `'leak'`: a leak was found, its count has doubled, or the watchdog has become surer of it. A leak that is not certain is
   *   told after {@link WatchdogOptions.graceMillis}.
   * - `'retracted'`: a loan that was reported as lost came back. The report gives what is left of the leak.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event or a listener that is no function.
   */
  on(event: WatchdogEvent, listener: LeakListener): this {
    this.#listeners.on(event, listener);
    return this;
  }

  /**
   * Removes a listener. Without effect if it was not added.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown event.
   */
  off(event: WatchdogEvent, listener: LeakListener): this {
    this.#listeners.off(event, listener);
    return this;
  }

  /** Gives the figures. O(components + leaks). */
  stats(): WatchdogStats {
    const { loans, ledger, scopes } = this.#tracker;
    scopes.settleEnded();
    return {
      components: this.#watches.size,
      loansOut: this.#watches.loansOut,
      loans: loans + this.#watches.unreportedLoans,
      lost: ledger.lost,
      suppressed: ledger.suppressed,
      unreported: ledger.unreported,
      retracted: ledger.retracted,
      scopes: scopes.running,
    };
  }

  /** @internal The age of the oldest loan that is out, in milliseconds, as far as a loan is old; 0 if there is none. O(1). */
  oldestLoanMillis(): number {
    return this.#tracker.oldestLoanMillis();
  }

  /** @internal The loans that are out and do not count as lost, by line, the most numerous first. O(loans that are out). */
  linesOut(): readonly LineOut[] {
    return this.#watches.linesOut();
  }

  /** @internal Lets the async context rest until the next scope is entered. Without effect while a scope is running. */
  restScopes(): void {
    this.#tracker.scopes.rest();
  }

  /** Ends all watches, removes all listeners, and stops the timer. The components go on, unwatched. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.#hasWatched = false;
    this.#tracker.scopes.settleEnded();
    this.#watches.endAll();
    this.#tracker.close();
    this.#listeners.clear();
  }
}

const aTransferable: OptionCheck = (value) =>
  isTransferable(value) ? undefined : 'a lease that can be handed over';
