/**
 * The engine runs a pool: it lends resources, takes them back, and decides which waiter is next.
 *
 * The path of a loan:
 *
 * 1. **Fast path.** `takeIdle` unlinks an idle slot and counts the loan. It reads no clock, looks nothing up and sets no
 *    timer.
 * 2. **Queue.** A caller for whom nothing is idle waits: `leaseSlowly` adds it to the queue, behind all earlier callers.
 * 3. **Creation.** `dispense` matches waiters with idle resources, and has the creator make the missing ones.
 * 4. **Hand-over.** `handOver` lends a free slot to the first waiter.
 * 5. **Return.** `takeBack` ends the loan. The slot goes straight to the first waiter, or back among the idle ones.
 *
 * Steps 1, 4 and 5 are synchronous, so a caller that comes later never overtakes one that waits. Each has a fast form for
 * pools that do nothing else at that step; `#updateFastPaths` says when it may be used. Everything else takes the slow form:
 * `testOnBorrow`, `reset`, `maxUses`, a shared ceiling, a draining pool.
 */

import { abortReason } from '../core/abort-reason.js';
import type { RunInContext } from '../core/async-context.js';
import type { PendingNode } from '../core/pending-node.js';
import { SiteSample } from '../core/site-sample.js';
import { Capacity } from './capacity.js';
import type { CeilingShare, CeilingShareHost } from './ceiling/ceiling-share.js';
import { Creator, type CreatorHost } from './creation/creator.js';
import { FactoryCalls } from './creation/factory-calls.js';
import { EffectiveMax } from './effective-max.js';
import type { Factory } from './factory.js';
import type { Grant } from './loan/grant.js';
import { type LoanOrigin, LoanOrigins } from './loan/loan-origin.js';
import { UNTIMED } from './loan/loan-tracking.js';
import type { Lender, Slot } from './loan/slot.js';
import { PoolCounters } from './pool-counters.js';
import { type BlockedBy, type CreateError, PoolClosedError } from './pool-errors.js';
import { makePoolEvents, type PoolEvents } from './pool-events.js';
import {
  type LeaseOptions,
  NO_OPTIONS,
  type PoolSettings,
  resolveLeaseOptions,
} from './pool-options.js';
import { numbersOf, type PoolNumbers, type PoolStats, statsOf } from './pool-stats.js';
import { WaitTimes } from './queue/wait-times.js';
import { type Resolve, Waiter, WaitOptions } from './queue/waiter.js';
import { WaiterQueue, type WaiterQueueListener } from './queue/waiter-queue.js';
import { Shutdown, type ShutdownHost } from './shutdown.js';
import { Inspection, type InspectionHost } from './stock/inspection.js';
import { Stock } from './stock/stock.js';
import { Sweep } from './stock/sweep.js';
import { WaitFailures } from './wait-failures.js';

/** Every loan is timed until this many were granted; then one in this many. A power of two. */
const LOANS_PER_SAMPLE = 256;

/** A mask for loan numbers: `number & mask` is 0 for every loan. */
const EVERY_LOAN = 0;

/** A mask for loan numbers: `number & mask` is 0 for one loan in {@link LOANS_PER_SAMPLE}. */
const SAMPLED_LOANS: number = LOANS_PER_SAMPLE - 1;

/** The states of a pool. */
type PoolState = 'not started' | 'open' | 'paused' | 'draining' | ClosedState;

/** A pool that lends nothing any more: `close()` was called, or a keyed pool has forgotten it. */
type ClosedState = 'closed' | 'forgotten';

/** Runs one pool. */
export class PoolEngine<T>
  implements
    Lender<T>,
    CreatorHost<T, Waiter<T>>,
    InspectionHost<T>,
    ShutdownHost<T>,
    WaiterQueueListener<T>
{
  readonly name: string;
  readonly settings: PoolSettings;
  readonly events: PoolEvents;
  readonly counters: PoolCounters = new PoolCounters();
  readonly stock: Stock<T>;
  readonly origins: LoanOrigins<T>;
  readonly waiters: WaiterQueue<T>;
  readonly capacity: Capacity;
  readonly creator: Creator<T, Waiter<T>>;
  readonly shutdown: Shutdown<T>;
  readonly sweep: Sweep<T>;
  /** The pool's part in a shared ceiling, if there is one. */
  readonly ceilingShare: CeilingShare<T> | null;
  readonly #calls: FactoryCalls<T>;
  readonly #inspection: Inspection<T>;
  readonly #failures: WaitFailures<T>;
  readonly #waitTimes: WaitTimes;
  #state: PoolState = 'not started';
  /** Whether an idle resource may be lent without a validation. */
  #mayTakeIdle = false;
  /** Whether a caller may join the queue without a number in the order of a shared ceiling. */
  #mayJoinQueue = false;
  /** Whether a returned resource may be kept without a reset or a validation. */
  #mayKeepReturns = false;
  /** Whether a returned resource may be handed to the next waiter, or put among the idle ones, at once. */
  #mayHandOverReturns = false;
  /** The sampling mask of timed loans: a loan is timed when `number & mask` is 0. */
  #timedLoans = EVERY_LOAN;
  /** The sampling mask of slow loans: a loan takes the slow steps of lending when `number & mask` is 0. */
  #slowLoans = EVERY_LOAN;
  #isDispensing = false;
  #mustDispenseAgain = false;

  constructor(
    factory: Factory<T>,
    settings: PoolSettings,
    runInContext: RunInContext,
    makeCeilingShare: ((host: CeilingShareHost<T>) => CeilingShare<T>) | null = null,
    sites: SiteSample = new SiteSample(settings.callSites),
  ) {
    const { counters } = this;
    this.name = settings.name;
    this.settings = settings;
    this.events = makePoolEvents(runInContext);
    this.origins = new LoanOrigins(sites);
    this.#calls = new FactoryCalls(factory, settings, this.events, counters, runInContext, () =>
      this.roomChanged(),
    );
    this.stock = new Stock(this, this.events, settings, this.#calls, counters);
    this.#waitTimes = new WaitTimes(counters, this.stock);
    this.waiters = new WaiterQueue(settings, runInContext, this, this.#waitTimes);
    const max = new EffectiveMax(settings);
    this.capacity = new Capacity(max, this.stock, counters, this.waiters);
    this.creator = new Creator(this, this.#calls, runInContext);
    this.ceilingShare = makeCeilingShare?.(this) ?? null;
    this.capacity.shared = this.ceilingShare;
    this.#failures = new WaitFailures(settings, this.stock, this.creator, counters, this.events);
    this.#inspection = new Inspection(this, this.#calls);
    this.sweep = new Sweep(this.stock, settings, counters, runInContext, {
      ticked: () => this.#ticked(),
      keepAlive: (slot, ended) => this.#inspection.keepAlive(slot, ended),
      mayLeave: () => this.creator.mayLeave(),
    });
    this.shutdown = new Shutdown(this);
  }

  // ── States ──────────────────────────────────────────────────────────────────

  get state(): PoolState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state === 'closed' || this.#state === 'forgotten';
  }

  start(): void {
    if (this.#state !== 'not started') return;
    this.#enter('open');
    this.creator.fillToMin();
  }

  /** Lends and creates nothing until {@link resume}; callers wait. */
  pause(): void {
    if (this.#state === 'open' || this.#state === 'not started') this.#enter('paused');
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#enter('open');
    this.roomChanged();
  }

  /** Lends nothing to callers that come from now on; serves the waiters. */
  drain(): void {
    const wasPaused = this.#state === 'paused';
    if (!this.isClosed) this.#enter('draining');
    this.creator.stopFilling();
    if (wasPaused) this.dispense();
  }

  /** Rejects the waiters and all later callers, and destroys the idle resources. */
  close(state: ClosedState = 'closed'): void {
    if (this.isClosed) return;
    this.#enter(state);
    this.sweep.stop();
    for (let waiter = this.waiters.shift(); waiter !== null; waiter = this.waiters.shift()) {
      waiter.reject(new PoolClosedError(this.name, state));
    }
    this.creator.close();
    this.stock.evictAll('close');
    this.shutdown.check();
    this.origins.watch?.componentEnded();
  }

  #enter(state: PoolState): void {
    this.#state = state;
    this.changed();
    this.#updateFastPaths();
  }

  /**
   * Decides which fast paths may be taken. A new step of a loan adds its condition here, or the step is skipped for most
   * loans.
   */
  #updateFastPaths(): void {
    const { settings, ceilingShare } = this;
    const isOpen = this.#state === 'open';
    const isAlone = ceilingShare === null;
    const isTimed = this.events.has('acquire') || this.events.has('release');
    this.#mayTakeIdle = isOpen && !settings.testOnBorrow;
    this.#mayJoinQueue = isOpen && isAlone;
    this.#mayKeepReturns = isOpen && !this.#calls.inspectsReturns && !this.capacity.hasExcess;
    this.#mayHandOverReturns = this.#mayKeepReturns && !settings.testOnBorrow && isAlone;
    const timesAll = isTimed || this.counters.loans < LOANS_PER_SAMPLE;
    this.#timedLoans = timesAll ? EVERY_LOAN : SAMPLED_LOANS;
    const countsUses = settings.maxUses !== Number.POSITIVE_INFINITY;
    this.#slowLoans = countsUses || !isAlone ? EVERY_LOAN : this.#timedLoans;
  }

  /** Listeners were added or removed. */
  listenersChanged(): void {
    this.#waitTimes.timeAll(this.events.has('acquire'));
    this.#updateFastPaths();
  }

  // ── Lending ─────────────────────────────────────────────────────────────────

  /** Lends an idle resource if that is possible at once and overtakes no waiter. */
  takeIdle(): Slot<T> | null {
    if (!this.#mayTakeIdle || this.waiters.length > 0) return null;
    const { stock } = this;
    const slot = stock.takeIdle();
    if (slot === null) return null;
    if (slot.expiresAt <= stock.time) return this.#takeIdleAfterExpired(slot);
    this.#lend(slot);
    return slot;
  }

  /** Lends an idle resource of a pool that validates, if it needs no validation now and no caller waits. */
  takeValidated(): Slot<T> | null {
    const { stock, settings } = this;
    if (!settings.testOnBorrow || this.#state !== 'open' || this.waiters.length > 0) return null;
    const next = stock.nextIdle;
    if (next === null || this.#inspection.isDue(next) || next.expiresAt <= stock.time) return null;
    stock.idle.remove(next);
    this.#lend(next);
    return next;
  }

  #takeIdleAfterExpired(expired: Slot<T>): Slot<T> | null {
    const { stock } = this;
    let slot: Slot<T> | null = expired;
    while (slot !== null && slot.expiresAt <= stock.time) {
      stock.destroyInBackground(slot, slot.expiryReason);
      // The destruction may have ended at once, and may have served other callers.
      slot = this.#mayTakeIdle && this.waiters.length === 0 ? stock.takeIdle() : null;
    }
    if (slot !== null) this.#lend(slot);
    return slot;
  }

  /** Counts a caller that found nothing idle and does not wait. Throws {@link PoolClosedError} if the pool is draining or closed. */
  countTryMiss(): undefined {
    const error = this.closedError();
    if (error !== undefined) throw error;
    this.counters.tryMisses++;
    return undefined;
  }

  /** The error of callers that come too late; `undefined` while there are none. */
  closedError(): PoolClosedError | undefined {
    return this.#state === 'draining' || this.isClosed
      ? new PoolClosedError(this.name, this.#state)
      : undefined;
  }

  /** Grants a resource now or later, for a caller that {@link takeIdle} gave nothing. Rejects with the pool's errors. */
  leaseSlowly<R>(
    where: string,
    grant: Grant<T, R>,
    options: LeaseOptions | number | undefined,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    try {
      if (options === undefined && this.#isQueueGrowing()) return this.waiters.join(grant, origin);
      return this.request(grant, resolveLeaseOptions(where, options), origin);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Whether a new caller can only join the queue: others wait already, and the pool can neither lend nor create. */
  #isQueueGrowing(): boolean {
    const { waiters, settings, stock } = this;
    return (
      this.#mayJoinQueue &&
      waiters.length > 0 &&
      waiters.length < settings.maxWaitingClients &&
      stock.slots.size >= settings.max &&
      stock.idle.length === 0
    );
  }

  /** Does what {@link leaseSlowly} does, with options that were checked. */
  request<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    if (options.signal?.aborted === true) return Promise.reject(abortReason(options.signal));
    if (this.#state === 'not started') this.start();
    const error = this.closedError();
    if (error !== undefined) return Promise.reject(error);
    const slot = this.takeIdle();
    return slot === null
      ? this.#wait(grant, options, origin)
      : Promise.resolve(grant(slot, origin));
  }

  #wait<R>(
    grant: Grant<T, R>,
    leaseOptions: LeaseOptions,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    const { waiters, settings } = this;
    const hasIdle = this.stock.idle.length > 0;
    const hasRoom = this.#state === 'open' && (hasIdle || this.creator.mayBegin);
    if (waiters.length >= settings.maxWaitingClients && !this.#isServed(hasIdle, hasRoom)) {
      return this.#failures.poolFull();
    }
    const options = leaseOptions === NO_OPTIONS ? null : new WaitOptions(leaseOptions, settings);
    return new Promise<R>((resolve, reject) => {
      this.#enqueue(new Waiter<T>(grant, origin, options, resolve as Resolve, reject), hasRoom);
    });
  }

  /** Whether a caller that finds the queue full gets a resource that is idle, or one that is created for it at once. */
  #isServed(hasIdle: boolean, hasRoom: boolean): boolean {
    if (this.#state !== 'open' || hasIdle) return hasRoom;
    return this.creator.mayTry && (hasRoom || this.ceilingShare?.mayTakeOver === true);
  }

  #enqueue(waiter: Waiter<T>, hasRoom: boolean): void {
    const { waiters, ceilingShare } = this;
    const { options } = waiter;
    if (ceilingShare !== null) waiter.ticket = ceilingShare.ceiling.nextTicket();
    waiters.add(waiter);
    if (hasRoom || ceilingShare !== null) this.dispense();
    if (waiter.settled) return;
    if (options === null || options.timeoutMillis > 0) waiters.startWaiting(waiter);
    else {
      waiters.remove(waiter);
      this.expired([waiter], 0);
    }
  }

  /** Serves waiters from the idle resources, then has the creator make the missing ones. */
  dispense(): void {
    // A factory that settles at once calls back in the middle of a step.
    this.#mustDispenseAgain = true;
    if (this.#isDispensing) return;
    this.#isDispensing = true;
    try {
      while (this.#mustDispenseAgain && this.#state !== 'paused') {
        this.#mustDispenseAgain = false;
        this.#serveFromIdle();
        this.creator.createForWaiters();
      }
    } finally {
      this.#isDispensing = false;
    }
    this.ceilingShare?.ceiling.memberServed(this.ceilingShare);
  }

  #serveFromIdle(): void {
    const { stock, counters } = this;
    const { testOnBorrow } = this.settings;
    // A slow validation may hang, so the waiters do not count on it.
    const { slowValidations } = counters;
    while (this.waiters.length > (testOnBorrow ? counters.validating - slowValidations : 0)) {
      const slot = stock.takeIdle();
      if (slot === null) return;
      if (slot.expiresAt <= stock.time) stock.destroyInBackground(slot, slot.expiryReason);
      else if (testOnBorrow && this.#inspection.isDue(slot)) this.#inspection.beforeLoan(slot);
      else this.handOver(slot);
    }
  }

  /** Lends a slot that is in no state to the first waiter; false if there is none. */
  handOver(slot: Slot<T>): boolean {
    if (this.waiters.length === 0) return false;
    this.#lend(slot);
    this.waiters.serve(slot);
    return true;
  }

  /** Lends a slot that is in no state to the first waiter; false if there is none, or if the pool is paused. */
  offer(slot: Slot<T>): boolean {
    return this.#state !== 'paused' && this.handOver(slot);
  }

  #lend(slot: Slot<T>): void {
    const { stock, counters } = this;
    slot.state = 'borrowed';
    slot.borrowedAt = stock.time;
    counters.borrowed++;
    if ((++counters.loans & this.#slowLoans) === 0) this.#lendSlowly(slot);
  }

  /**
   * The slow steps of lending: samples hold times, counts uses, orders the keys of a shared ceiling. They run before the waiter is served.
   * So they call no foreign code, which could close the pool under it.
   */
  #lendSlowly(slot: Slot<T>): void {
    if ((this.counters.loans & this.#timedLoans) === 0) this.#timeLoan(slot);
    if (--slot.usesLeft === 0) slot.expire('uses');
    this.ceilingShare?.granted();
    if (this.events.has('acquire')) this.#tellAcquired(slot);
  }

  /** A waiter that is served is still the first in the queue. */
  #tellAcquired(slot: Slot<T>): void {
    const { waiters, stock } = this;
    const since = waiters.length === 0 ? null : waiters.firstSince;
    const waitMillis = since === null ? 0 : stock.time - since;
    this.events.emitLater('acquire', { resource: slot.resource, waitMillis });
  }

  #timeLoan(slot: Slot<T>): void {
    slot.track().timedFrom = slot.borrowedAt = this.stock.refreshTime();
    if (this.counters.loans === LOANS_PER_SAMPLE) this.#updateFastPaths();
  }

  // ── Waits that fail ─────────────────────────────────────────────────────────

  expired(waiters: readonly Waiter<T>[], stalledMillis: number): void {
    this.#failures.timedOut(waiters, stalledMillis, this.#blockedBy, () => this.stats());
    this.shutdown.check();
  }

  get #blockedBy(): BlockedBy | undefined {
    if (this.#state === 'paused') return 'paused';
    const { capacity, ceilingShare } = this;
    if (ceilingShare === null || ceilingShare.room > 0) return undefined;
    return capacity.size < capacity.max.value ? 'maxTotal' : undefined;
  }

  aborted(waiter: Waiter<T>, reason: unknown): void {
    this.counters.acquireAborts++;
    waiter.reject(reason);
    this.creator.waiterLeft(waiter.creation, reason);
    this.shutdown.check();
  }

  #ticked(): void {
    this.origins.tick(this.counters.loans, this.stock.time);
    if (this.capacity.max.hasGrown()) this.roomChanged();
    if (this.stock.slots.size === 0) this.#sweepEmpty();
  }

  /** A pool without resources needs the sweep only to see its limit grow. */
  #sweepEmpty(): void {
    if (this.capacity.max.mayGrow && !this.isClosed) this.sweep.start();
    else this.sweep.stop();
  }

  emptied(): void {
    this.creator.queueEmptied();
  }

  // ── Taking back ─────────────────────────────────────────────────────────────

  takeBack(slot: Slot<T>): void | Promise<void> {
    this.endLoan(slot, false);
    if (!this.#mayHandOverReturns || slot.expiresAt <= this.stock.time) {
      return this.#takeBackSlowly(slot);
    }
    if (this.waiters.length === 0) this.stock.putIdle(slot);
    else this.handOver(slot);
  }

  #takeBackSlowly(slot: Slot<T>): void | Promise<void> {
    if (!this.#mayKeepReturns || slot.expiresAt <= this.stock.time) {
      return this.#inspection.afterLoan(slot);
    }
    this.makeAvailable(slot);
  }

  discard(slot: Slot<T>, reason: string): Promise<void> {
    this.endLoan(slot, false);
    this.stock.destroy(slot, reason);
    this.shutdown.check();
    return slot.whenGone();
  }

  /** Destroys the resource of a loan that no code can end any more, if the option says so. */
  abandoned(slot: Slot<T>): void {
    if (this.settings.onAbandoned !== 'destroy' || slot.state !== 'borrowed') return;
    this.endLoan(slot, true);
    this.stock.destroy(slot, 'abandoned');
    this.shutdown.check();
  }

  detach(slot: Slot<T>): void {
    this.endLoan(slot, false);
    this.stock.detach(slot);
  }

  /** Marks the current loan of a slot as ended. `byForce` says that its holder did not end it. */
  endLoan(slot: Slot<T>, byForce: boolean): void {
    slot.loan++;
    this.counters.borrowed--;
    if (slot.tracking !== null || slot.loanNode !== undefined) this.#endDetails(slot, byForce);
  }

  #endDetails(slot: Slot<T>, byForce: boolean): void {
    const { tracking, loanNode } = slot;
    slot.tracking = null;
    slot.loanNode = undefined;
    if (tracking !== null && tracking.timedFrom !== UNTIMED) {
      this.#recordHold(slot, this.stock.refreshTime() - tracking.timedFrom);
    }
    if (loanNode !== undefined) this.origins.watch?.loanEnded(slot, loanNode, byForce);
  }

  #recordHold({ resource }: Slot<T>, holdMillis: number): void {
    this.counters.holds.record(holdMillis);
    if (this.events.has('release')) this.events.emitLater('release', { resource, holdMillis });
  }

  get isInUse(): ((resource: T) => boolean) | undefined {
    return this.#calls.isInUse;
  }

  failed(slot: Slot<T>, error: unknown): void {
    if (this.#calls.isBroken(error, slot.resource)) slot.expire('broken');
  }

  /** Lends a good slot in no state to the first waiter, or puts it among the idle ones. */
  makeAvailable(slot: Slot<T>): void {
    if (this.ceilingShare?.ceiling.mustYield(this.ceilingShare) === true) {
      this.stock.destroyInBackground(slot, 'yielded');
    } else if (this.settings.testOnBorrow || !this.offer(slot)) {
      this.stock.putIdle(slot);
      if (this.settings.testOnBorrow) slot.validatedAt = this.stock.refreshTime();
      if (this.waiters.length > 0) this.dispense();
      else this.ceilingShare?.ceiling.memberHasIdle(this.ceilingShare);
    }
  }

  inspected(): void {
    this.dispense();
    this.shutdown.check();
  }

  // ── Creations ───────────────────────────────────────────────────────────────

  newNode(): PendingNode | undefined {
    return this.origins.watch?.newNode();
  }

  addCreated(resource: T, pendingNode: PendingNode | undefined): boolean {
    const slot = this.stock.add(resource, pendingNode);
    if (slot === null) return false;
    if (this.isClosed) this.stock.destroy(slot, 'close');
    else {
      this.sweep.start();
      if (this.offer(slot)) return true;
      if (this.capacity.hasExcess) this.stock.destroyInBackground(slot, 'resize');
      else this.stock.putIdle(slot);
    }
    return true;
  }

  destroyOutdated(resource: T, pendingNode: PendingNode | undefined): void {
    const slot = this.stock.add(resource, pendingNode);
    if (slot === null) pendingNode?.fail();
    else this.stock.destroyInBackground(slot, 'invalidated');
  }

  destroyUnplaced(resource: T): void {
    this.stock.destroyUnplaced(resource);
  }

  rejectWaiter(waiter: Waiter<T>, error: CreateError): void {
    this.waiters.remove(waiter);
    waiter.reject(error);
  }

  brokeUnused(lifeMillis: number): void {
    this.creator.brokeUnused(lifeMillis);
  }

  changed(): void {
    this.ceilingShare?.changed();
  }

  leaving(): void {
    this.creator.fillToMin();
  }

  roomChanged(): void {
    this.changed();
    this.#updateFastPaths();
    this.dispense();
    this.creator.fillToMin();
    if (this.stock.slots.size === 0) this.#sweepEmpty();
    this.shutdown.check();
  }

  stats(): PoolStats {
    return statsOf(this);
  }

  numbers(): PoolNumbers {
    return numbersOf(this);
  }

  loanTime(): number {
    return this.stock.refreshTime();
  }
}
