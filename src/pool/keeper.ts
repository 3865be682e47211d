/**
 * The keeper of a pool: it lends what is in stock, takes it back, and decides who is next.
 *
 * Everything happens in one of two steps, both synchronous. `takeBack` gives a returned resource straight to the first
 * in line, so nobody who comes later can overtake. `dispense` matches those who wait with what is idle, and has the
 * creator make what is missing.
 *
 * The hot path of a loan is: unlink an idle slot, count it, link it again. It reads no clock, looks nothing up, and
 * sets no timer.
 */

import type { RunInContext } from '../core/async-context.js';
import { CeilingShare } from './ceiling/ceiling-share.js';
import type { SharedCeiling } from './ceiling/shared-ceiling.js';
import { Creator, type CreatorHost } from './creation/creator.js';
import { FactoryCalls } from './creation/factory-calls.js';
import type { Factory } from './factory.js';
import type { Grant } from './loan/grant.js';
import { type LoanOrigin, LoanOrigins } from './loan/loan-origin.js';
import { UNTIMED } from './loan/loan-tracking.js';
import type { Lender, Slot } from './loan/slot.js';
import { PoolCounters } from './pool-counters.js';
import { type CreateError, PoolClosedError } from './pool-errors.js';
import { PoolEvents } from './pool-events.js';
import {
  type LeaseOptions,
  NO_OPTIONS,
  type PoolSettings,
  resolveLeaseOptions,
} from './pool-options.js';
import { type PoolStats, statsOf } from './pool-stats.js';
import { WaitTimes } from './queue/wait-times.js';
import { type Resolve, Waiter, WaitOptions } from './queue/waiter.js';
import { WaiterQueue } from './queue/waiter-queue.js';
import { Renewal, type RenewalHost } from './renewal.js';
import { Shutdown, type ShutdownHost } from './shutdown.js';
import { Inspection, type InspectionHost } from './stock/inspection.js';
import { Stock } from './stock/stock.js';
import { Sweep } from './stock/sweep.js';
import { WaitFailures, type WaitFailuresHost } from './wait-failures.js';

/** One loan in so many, a power of two, refreshes the coarse time and has its own taken; until then each does. */
const LOANS_PER_SAMPLE = 256;

/** Where a pool is in its life. */
type PoolState = 'not started' | 'open' | 'draining' | 'closed';

/** The one who lends what a pool has. */
export class Keeper<T>
  implements
    Lender<T>,
    CreatorHost<T, Waiter<T>>,
    ShutdownHost<T>,
    InspectionHost<T>,
    RenewalHost<T>,
    WaitFailuresHost<T>
{
  readonly name: string;
  readonly settings: PoolSettings;
  readonly events: PoolEvents;
  readonly counters: PoolCounters = new PoolCounters();
  readonly stock: Stock<T>;
  readonly origins: LoanOrigins<T>;
  readonly waiters: WaiterQueue<T>;
  readonly creator: Creator<T, Waiter<T>>;
  readonly shutdown: Shutdown<T>;
  readonly renewal: Renewal<T>;
  /** Its part in the common ceiling, if there is one. */
  readonly ceilingShare: CeilingShare<T> | null;
  readonly #calls: FactoryCalls<T>;
  readonly #inspection: Inspection<T>;
  readonly #failures: WaitFailures<T>;
  readonly sweep: Sweep<T>;
  #state: PoolState = 'not started';
  /** True while an idle resource can be lent without further ado. */
  #lendsAtOnce = false;
  /** True while those who find nothing may wait, and need no number among the callers of other pools. */
  #letsWait = false;
  /** True while a returned resource can be kept without further ado. */
  #keepsReturns = false;
  /** True while it can be lent again, too. */
  #relends = false;
  /** Which bits of the number of a loan are not all 0 if its time is not taken. */
  #untimedLoans = 0;
  /** The same, if there is nothing else to do with it either. */
  #plainLoans = 0;
  #dispensing = false;
  #dispenseAgain = false;

  constructor(
    factory: Factory<T>,
    settings: PoolSettings,
    runInContext: RunInContext,
    ceiling: SharedCeiling | null = null,
  ) {
    this.name = settings.name;
    this.settings = settings;
    this.events = new PoolEvents(runInContext);
    this.#calls = new FactoryCalls(factory, settings, this.events, runInContext);
    this.stock = new Stock(this, this.events, settings, this.#calls, this.counters);
    this.#failures = new WaitFailures(this);
    const times = new WaitTimes(this.counters, this.stock);
    this.waiters = new WaiterQueue(settings, runInContext, this.#failures, times);
    this.creator = new Creator(this, this.#calls, settings, runInContext);
    this.#inspection = new Inspection(this, this.#calls);
    this.origins = new LoanOrigins(settings.callSites);
    this.sweep = new Sweep(this.stock, settings, runInContext, {
      ticked: () => this.origins.tick(),
      keepAlive: (slot) => this.#inspection.keepAlive(slot),
    });
    this.renewal = new Renewal(this);
    this.shutdown = new Shutdown(this);
    this.ceilingShare = ceiling === null ? null : new CeilingShare(ceiling, this);
  }

  get state(): PoolState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  start(): void {
    if (this.#state !== 'not started') return;
    this.#enter('open');
    this.creator.fillToMin();
  }

  /** Lends nothing to those who come from now on. */
  drain(): void {
    if (this.#state !== 'closed') this.#enter('draining');
    this.creator.stopFilling();
  }

  /** Lends nothing to anybody any more, and destroys what is idle. */
  closeNow(): void {
    if (this.isClosed) return;
    this.#enter('closed');
    this.sweep.stop();
    for (let waiter = this.waiters.shift(); waiter !== null; waiter = this.waiters.shift()) {
      waiter.reject(new PoolClosedError(this.name, 'closed'));
    }
    this.creator.close();
    this.stock.evictAll('close');
    this.shutdown.check();
  }

  #enter(state: PoolState): void {
    this.#state = state;
    this.#lendsAtOnce = state === 'open' && !this.settings.testOnBorrow;
    this.#letsWait = state === 'open' && this.ceilingShare === null;
    this.#updateReturns();
  }

  #updateReturns(): void {
    this.#keepsReturns = this.#state === 'open' && !this.#calls.inspectsReturns && !this.hasExcess;
    this.#relends = this.#keepsReturns && !this.settings.testOnBorrow && this.ceilingShare === null;
  }

  // Lending

  /** Lends an idle resource if that can be done at once and overtakes nobody. */
  takeIdle(): Slot<T> | null {
    if (!this.#lendsAtOnce || this.waiters.length > 0) return null;
    const { stock } = this;
    const slot = stock.takeIdle();
    if (slot === null) return null;
    if (slot.expiresAt <= stock.time) return this.#takeIdleAfterExpired(slot);
    this.#lend(slot);
    return slot;
  }

  #takeIdleAfterExpired(expired: Slot<T>): Slot<T> | null {
    this.stock.destroy(expired, expired.expiryReason, true);
    return this.takeIdle();
  }

  /** For those who would not wait. */
  throwIfClosed(): undefined {
    const state = this.#state;
    if (state === 'draining' || state === 'closed') throw new PoolClosedError(this.name, state);
    return undefined;
  }

  /** Grants what was not there at once, now or later; rejects as the errors of the pool say. */
  leaseSlowly<R>(
    where: string,
    grant: Grant<T, R>,
    options: LeaseOptions | number | undefined,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    if (options === undefined && this.#isLinedUp()) return this.waiters.join(grant, origin);
    try {
      return this.#request(grant, resolveLeaseOptions(where, options), origin);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Whether a newcomer would but lengthen the line: others wait already, and the pool can neither lend nor create anything.
   */
  #isLinedUp(): boolean {
    const { waiters, settings, stock } = this;
    return (
      this.#letsWait &&
      waiters.length > 0 &&
      waiters.length < settings.maxWaitingClients &&
      stock.slots.size >= settings.max &&
      stock.idle.length === 0
    );
  }

  #request<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason);
    if (this.#state === 'not started') this.start();
    const { state } = this;
    if (state !== 'open') return Promise.reject(new PoolClosedError(this.name, state));
    const slot = this.takeIdle();
    return slot === null
      ? this.#wait(grant, options, origin)
      : Promise.resolve(grant(slot, origin));
  }

  #wait<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    const { waiters, settings } = this;
    const hasRoom = this.stock.idle.length > 0 || this.spareResourceCapacity > 0;
    if (waiters.length >= settings.maxWaitingClients && (!hasRoom || this.creator.isBackingOff)) {
      return this.#failures.poolFull();
    }
    const wishes = options === NO_OPTIONS ? null : new WaitOptions(options, settings);
    return new Promise<R>((resolve, reject) => {
      this.#enqueue(new Waiter<T>(grant, origin, wishes, resolve as Resolve, reject), hasRoom);
    });
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
      this.#failures.expired([waiter]);
    }
  }

  /** Matches those who wait with what is idle, then sees to what is missing. */
  dispense(): void {
    // A factory that settles at once calls back in the middle of a step.
    this.#dispenseAgain = true;
    if (this.#dispensing) return;
    this.#dispensing = true;
    try {
      while (this.#dispenseAgain) {
        this.#dispenseAgain = false;
        this.#serveFromIdle();
        this.creator.createForWaiters();
      }
    } finally {
      this.#dispensing = false;
    }
    this.ceilingShare?.ceiling.memberServed(this.ceilingShare);
  }

  #serveFromIdle(): void {
    const { stock, counters } = this;
    const { testOnBorrow } = this.settings;
    while (this.waiters.length > (testOnBorrow ? counters.validating : 0)) {
      const slot = stock.takeIdle();
      if (slot === null) return;
      if (slot.expiresAt <= stock.time) stock.destroy(slot, slot.expiryReason, true);
      else if (testOnBorrow) this.#inspection.beforeLoan(slot);
      else this.handOver(slot);
    }
  }

  handOver(slot: Slot<T>): boolean {
    if (this.waiters.length === 0) return false;
    this.#lend(slot);
    this.waiters.serve(slot);
    return true;
  }

  #lend(slot: Slot<T>): void {
    const { stock, counters } = this;
    slot.state = 'borrowed';
    slot.borrowedAt = stock.time;
    counters.borrowed++;
    if ((++counters.loans & this.#plainLoans) === 0) this.#applySampledSteps(slot);
  }

  /** Does with some loans, or with each if the pool is no plain one, what need not be done with all. */
  #applySampledSteps(slot: Slot<T>): void {
    if ((this.counters.loans & this.#untimedLoans) === 0) this.#timeLoan(slot);
    if (--slot.usesLeft === 0) slot.expire('uses');
    this.ceilingShare?.granted();
  }

  #timeLoan(slot: Slot<T>): void {
    slot.track().timedFrom = slot.borrowedAt = this.stock.refreshTime();
    if (this.counters.loans !== LOANS_PER_SAMPLE) return;
    this.#untimedLoans = LOANS_PER_SAMPLE - 1;
    const isPlain =
      this.settings.maxUses === Number.POSITIVE_INFINITY && this.ceilingShare === null;
    if (isPlain) this.#plainLoans = this.#untimedLoans;
  }

  // Taking back

  takeBack(slot: Slot<T>): void | Promise<void> {
    this.endLoan(slot, false);
    if (!this.#relends || slot.expiresAt <= this.stock.time) return this.#takeBackSlowly(slot);
    if (this.waiters.length === 0) this.stock.putIdle(slot);
    else this.handOver(slot);
  }

  #takeBackSlowly(slot: Slot<T>): void | Promise<void> {
    if (!this.#keepsReturns || slot.expiresAt <= this.stock.time) {
      return this.#inspection.afterLoan(slot);
    }
    this.makeAvailable(slot);
  }

  discard(slot: Slot<T>, reason: string): Promise<void> {
    this.endLoan(slot, false);
    this.stock.destroy(slot, reason, false);
    this.shutdown.check();
    return slot.whenGone();
  }

  detach(slot: Slot<T>): void {
    this.endLoan(slot, false);
    this.stock.release(slot);
  }

  touched(slot: Slot<T>, hint: string | undefined): void {
    this.origins.watch?.touched(slot, hint);
  }

  expected(slot: Slot<T>, millis: number): void {
    this.origins.watch?.expected(slot, millis);
  }

  endLoan(slot: Slot<T>, byForce: boolean): void {
    slot.loan++;
    this.counters.borrowed--;
    if (slot.tracking !== null) this.#endTracking(slot, byForce);
  }

  #endTracking(slot: Slot<T>, byForce: boolean): void {
    const { timedFrom = UNTIMED, node } = slot.tracking ?? {};
    slot.tracking = null;
    if (timedFrom !== UNTIMED) this.counters.holds.record(this.stock.refreshTime() - timedFrom);
    if (node !== undefined) this.origins.watch?.loanEnded(node, byForce);
  }

  makeAvailable(slot: Slot<T>): void {
    if (this.ceilingShare?.ceiling.mustYield(this.ceilingShare) === true) {
      this.stock.destroy(slot, 'yielded', true);
    } else if (this.waiters.length === 0) {
      this.stock.putIdle(slot);
      this.ceilingShare?.ceiling.distributeRoom();
    } else if (!this.settings.testOnBorrow) this.handOver(slot);
    else {
      this.stock.putIdle(slot);
      this.dispense();
    }
  }

  inspected(): void {
    this.dispense();
    this.shutdown.check();
  }

  // Creations

  addCreated(resource: T): boolean {
    const slot = this.stock.add(resource);
    if (slot === null) return false;
    if (this.isClosed) this.stock.destroy(slot, 'close', false);
    else {
      this.sweep.start();
      if (this.waiters.length > 0) this.handOver(slot);
      else if (this.hasExcess) this.stock.destroy(slot, 'resize', true);
      else this.stock.putIdle(slot);
    }
    return true;
  }

  destroyOutdated(resource: T): void {
    const slot = this.stock.add(resource);
    if (slot !== null) this.stock.destroy(slot, 'invalidated', true);
  }

  destroyUnplaced(resource: T): void {
    this.stock.destroyUnplaced(resource);
  }

  rejectWaiter(waiter: Waiter<T>, error: CreateError): void {
    this.waiters.remove(waiter);
    waiter.reject(error);
  }

  roomChanged(): void {
    this.#updateReturns();
    this.dispense();
    this.creator.fillToMin();
    if (this.stock.slots.size === 0) this.sweep.stop();
    this.shutdown.check();
  }

  firstWithoutCreation(): Waiter<T> | null {
    return this.waiters.firstWithoutCreation();
  }

  shortfall(): number {
    const onTheWay = this.creator.creating + this.counters.validating + this.counters.resetting;
    return this.waiters.length - this.stock.idle.length - onTheWay;
  }

  get isFilling(): boolean {
    return this.#state === 'open';
  }

  get usable(): number {
    return this.stock.usable;
  }

  get size(): number {
    return this.stock.slots.size + this.creator.creating;
  }

  get hasExcess(): boolean {
    return this.renewal.excess > 0;
  }

  get spareResourceCapacity(): number {
    const own = this.settings.max - this.size;
    const { ceilingShare } = this;
    return ceilingShare === null ? own : Math.min(own, ceilingShare.ceiling.roomFor(ceilingShare));
  }

  stats(): PoolStats {
    return statsOf(this);
  }
}
