/**
 * The keeper of a pool: it lends what is in stock, takes it back, and decides who is next.
 *
 * Everything happens in one of two steps, both synchronous. `takeBack` gives a returned resource straight to the first
 * in line, so nobody who comes later can overtake. `dispense` matches those who wait with what is idle, and has the
 * creator make what is missing. Whatever waited for the factory looks again at its slot's state when it goes on, since a
 * close may have taken the slot meanwhile.
 *
 * The hot path of a loan is: unlink an idle slot, count it, link it again. It reads no clock, looks nothing up, and
 * sets no timer.
 */
import type { EntryPoint } from '../core/probe.js';
import { Closing, type ClosingHost } from './closing.js';
import { Creator, type CreatorHost } from './creator.js';
import type { DestroyReason, Factory } from './factory.js';
import { FactoryCalls } from './factory-calls.js';
import type { Grant } from './grant.js';
import type { Lender } from './lender.js';
import type { OwnContext } from './own-context.js';
import {
  AcquireTimeoutError,
  type CreateError,
  PoolClosedError,
  PoolFullError,
  type PoolPhase,
} from './pool-errors.js';
import { PoolEvents } from './pool-events.js';
import type { LeaseOptions, PoolSettings } from './pool-options.js';
import { type PoolStats, percentilesOf } from './pool-stats.js';
import type { TakenOrigin } from './pool-watch.js';
import { Renewal, type RenewalHost } from './renewal.js';
import type { CeilingMember, SharedCeiling } from './shared-ceiling.js';
import { type Slot, UNTIMED } from './slot.js';
import { Stock } from './stock.js';
import { Sweep } from './sweep.js';
import { Tally } from './tally.js';
import { Waiter } from './waiter.js';
import { WaiterQueue, type WaiterQueueListener } from './waiter-queue.js';

/** One loan in so many, a power of two, refreshes the coarse time and has its own taken; until then each does. */
const LOANS_PER_SAMPLE = 64;

/** The same for those who wait. */
const WAITS_PER_SAMPLE = 16;

/** Where a pool is in its life. */
type PoolState = 'not started' | 'open' | 'draining' | 'closed';

/** The one who lends what a pool has. */
export class Keeper<T>
  implements
    Lender<T>,
    CreatorHost<T>,
    ClosingHost<T>,
    RenewalHost<T>,
    WaiterQueueListener<T>,
    CeilingMember
{
  readonly name: string;
  readonly settings: PoolSettings;
  readonly events: PoolEvents;
  readonly tally: Tally = new Tally();
  readonly stock: Stock<T>;
  readonly waiters: WaiterQueue<T>;
  readonly creator: Creator<T>;
  readonly closing: Closing<T>;
  readonly renewal: Renewal<T>;
  readonly #calls: FactoryCalls<T>;
  readonly #sweep: Sweep<T>;
  #state: PoolState = 'not started';
  /** True while an idle resource can be lent without further ado. */
  #lendsAtOnce = false;
  /** True while a returned resource can be lent again without further ado. */
  #keepsReturns = false;
  /** Which bits of the number of a loan, or of a wait, are 0 if its time is taken. */
  #loanMask = 0;
  #waitMask = 0;
  #dispensing = false;
  #dispenseAgain = false;

  /** The number of the loan granted last, if there is a common ceiling. */
  lastGrant = 0;
  readonly #ceiling: SharedCeiling | null;

  constructor(
    factory: Factory<T>,
    settings: PoolSettings,
    inOwnContext: OwnContext,
    ceiling: SharedCeiling | null = null,
  ) {
    this.#ceiling = ceiling;
    this.name = settings.name;
    this.settings = settings;
    this.events = new PoolEvents(inOwnContext);
    this.#calls = new FactoryCalls(factory, settings, this.events, inOwnContext);
    this.stock = new Stock(settings, this.#calls, this.tally, () => this.roomChanged());
    this.waiters = new WaiterQueue(settings, inOwnContext, this);
    this.creator = new Creator(this, this.#calls, settings, inOwnContext);
    this.#sweep = new Sweep(this.stock, settings, inOwnContext, (slot) => this.#keepAlive(slot));
    this.renewal = new Renewal(this);
    this.closing = new Closing(this);
  }

  get state(): PoolState {
    return this.#state;
  }

  start(): void {
    if (this.#state !== 'not started') return;
    this.#enter('open');
    this.creator.fillUp();
  }

  /** Lends nothing to those who come from now on. */
  drain(): void {
    if (this.#state !== 'closed') this.#enter('draining');
    this.creator.stopFilling();
  }

  /** Lends nothing to anybody any more, and destroys what is idle. */
  shut(): void {
    if (this.#state === 'closed') return;
    this.#enter('closed');
    this.#sweep.stop();
    for (let waiter = this.waiters.shift(); waiter !== null; waiter = this.waiters.shift()) {
      waiter.reject(new PoolClosedError(this.name, 'closed'));
    }
    this.creator.close();
    this.stock.evictAll('close');
    this.closing.check();
  }

  #enter(state: PoolState): void {
    this.#state = state;
    this.#lendsAtOnce = state === 'open' && !this.settings.testOnBorrow;
    this.#updateReturns();
  }

  #updateReturns(): void {
    this.#keepsReturns =
      this.#state === 'open' && !this.#calls.inspectsReturns && this.renewal.excess <= 0;
  }

  // Lending

  /** Lends an idle resource if that can be done at once and overtakes nobody. */
  takeIdle(): Slot<T> | null {
    if (!this.#lendsAtOnce || this.waiters.length > 0) return null;
    const { stock } = this;
    for (let slot = stock.takeIdle(); slot !== null; slot = stock.takeIdle()) {
      if (slot.expiresAt > stock.time) {
        this.#lend(slot);
        return slot;
      }
      stock.destroy(slot, slot.doom, true);
    }
    return null;
  }

  /** The caller's line and scope, while the pool is watched. */
  takeOrigin(entry: EntryPoint): TakenOrigin<T> | undefined {
    const { watch } = this.stock;
    return watch === null ? undefined : watch.takeOrigin(entry);
  }

  /** Grants now or later; rejects as the errors of the pool say. */
  request<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    origin: TakenOrigin<T> | undefined,
  ): Promise<R> {
    const { signal, timeoutMillis = this.settings.acquireTimeoutMillis } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    this.start();
    if (this.#state !== 'open') return Promise.reject(new PoolClosedError(this.name, this.#state));
    const slot = this.takeIdle();
    if (slot !== null) return Promise.resolve(grant(this, slot, origin));
    if (this.#isFull()) {
      return Promise.reject(new PoolFullError(this.name, this.settings.maxWaitingClients));
    }
    const lowest = this.settings.priorityRange - 1;
    const asked = options.priority ?? 0;
    const priority = asked >= 0 && asked <= lowest ? asked : lowest;
    const waiter = new Waiter<T>(grant, priority, timeoutMillis, signal, origin);
    if (this.#ceiling !== null) waiter.ticket = this.#ceiling.nextTicket();
    if ((++this.tally.waited & this.#waitMask) === 0) {
      waiter.since = this.stock.refreshTime();
      if (this.tally.waited === WAITS_PER_SAMPLE) this.#waitMask = WAITS_PER_SAMPLE - 1;
    }
    const granted = new Promise<R>((resolve, reject) => {
      waiter.resolve = resolve as (granted: unknown) => void;
      waiter.reject = reject;
    });
    this.waiters.add(waiter);
    this.#dispense();
    if (waiter.settled) return granted;
    if (timeoutMillis > 0) this.waiters.arm(waiter);
    else {
      this.waiters.remove(waiter);
      this.expired([waiter]);
    }
    return granted;
  }

  #isFull(): boolean {
    return (
      this.waiters.length >= this.settings.maxWaitingClients &&
      this.spareResourceCapacity < 1 &&
      this.stock.idle.length === 0
    );
  }

  /** Matches those who wait with what is idle, then sees to what is missing. */
  #dispense(): void {
    // A factory that settles at once calls back in the middle of a step.
    this.#dispenseAgain = true;
    if (this.#dispensing) return;
    this.#dispensing = true;
    try {
      while (this.#dispenseAgain) {
        this.#dispenseAgain = false;
        this.#serveFromIdle();
        this.creator.meetDemand();
      }
    } finally {
      this.#dispensing = false;
    }
    this.#ceiling?.served(this);
  }

  #serveFromIdle(): void {
    const { stock, tally } = this;
    const { testOnBorrow } = this.settings;
    while (this.waiters.length > (testOnBorrow ? tally.validating : 0)) {
      const slot = stock.takeIdle();
      if (slot === null) return;
      if (slot.expiresAt <= stock.time) stock.destroy(slot, slot.doom, true);
      else if (testOnBorrow) this.#validate(slot, () => stock.shelve(slot));
      else this.#hand(slot);
    }
  }

  /** Looks whether an idle slot is still good for something; if nobody waits for it, `lay` lays it back. */
  #validate(slot: Slot<T>, lay: () => void): void {
    slot.state = 'validating';
    this.tally.validating++;
    this.#calls.validate(slot.resource, (valid) => {
      if (slot.state !== 'validating') return;
      this.tally.validating--;
      if (!valid) this.stock.destroy(slot, 'invalid', false);
      else if (this.#state === 'closed') this.stock.destroy(slot, 'close', false);
      else if (slot.expiresAt <= this.stock.time) this.stock.destroy(slot, slot.doom, true);
      else if (this.waiters.length > 0) this.#hand(slot);
      else lay();
      this.#dispense();
      this.closing.check();
    });
  }

  #keepAlive(slot: Slot<T>): void {
    this.stock.idle.remove(slot);
    this.#validate(slot, () => {
      slot.provenAt = this.stock.refreshTime();
      this.stock.putBack(slot);
    });
  }

  /** Lends the slot to the first in line, of whom there is one. */
  #hand(slot: Slot<T>): void {
    const waiter = this.waiters.shift() as Waiter<T>;
    if (waiter.since >= 0) this.tally.waits.record(this.stock.refreshTime() - waiter.since);
    this.#lend(slot);
    waiter.resolve(waiter.grant(this, slot, waiter.origin));
  }

  #lend(slot: Slot<T>): void {
    const { stock, tally } = this;
    slot.state = 'borrowed';
    slot.uses++;
    tally.borrowed++;
    if ((++tally.loans & this.#loanMask) === 0) {
      slot.timedFrom = stock.refreshTime();
      if (tally.loans === LOANS_PER_SAMPLE) this.#loanMask = LOANS_PER_SAMPLE - 1;
    }
    slot.borrowedAt = stock.time;
    if (this.#ceiling !== null) this.lastGrant = this.#ceiling.nextGrant();
  }

  // Taking back

  takeBack(slot: Slot<T>): void | Promise<void> {
    this.endLoan(slot);
    if (
      !this.#keepsReturns ||
      slot.expiresAt <= this.stock.time ||
      slot.uses >= this.settings.maxUses
    ) {
      return this.#inspect(slot);
    }
    this.#restore(slot);
  }

  discard(slot: Slot<T>, reason: string): Promise<void> {
    this.endLoan(slot);
    this.stock.destroy(slot, reason, false);
    this.closing.check();
    return slot.whenGone();
  }

  detach(slot: Slot<T>): void {
    this.endLoan(slot);
    this.stock.release(slot);
  }

  touched(slot: Slot<T>, hint: string | undefined): void {
    this.stock.watch?.touched(slot, hint);
  }

  expected(slot: Slot<T>, millis: number): void {
    this.stock.watch?.expected(slot, millis);
  }

  endLoan(slot: Slot<T>, byForce = false): void {
    slot.loan++;
    this.tally.borrowed--;
    if (slot.timedFrom >= 0) this.#takeTime(slot);
    if (slot.leaseNode !== undefined) this.stock.watch?.returned(slot, byForce);
  }

  #takeTime(slot: Slot<T>): void {
    this.tally.holds.record(this.stock.refreshTime() - slot.timedFrom);
    slot.timedFrom = UNTIMED;
  }

  /** Looks at a returned resource, and resets and validates it if asked to. */
  #inspect(slot: Slot<T>): void | Promise<void> {
    const reason = this.#endOfLife(slot);
    if (reason !== undefined) {
      this.stock.destroy(slot, reason, true);
      this.closing.check();
      return;
    }
    if (!this.#calls.inspectsReturns) {
      this.#restore(slot);
      this.closing.check();
      return;
    }
    slot.state = 'resetting';
    this.tally.resetting++;
    let inspected = false;
    let report: (() => void) | undefined;
    this.#calls.inspectReturn(slot.resource, (unfit) => {
      inspected = true;
      if (slot.state === 'resetting') {
        this.tally.resetting--;
        if (unfit !== undefined) this.stock.destroy(slot, unfit, true);
        else this.#keepOrEnd(slot);
        this.closing.check();
      }
      report?.();
    });
    if (inspected) return;
    return new Promise((resolve) => {
      report = resolve;
    });
  }

  #keepOrEnd(slot: Slot<T>): void {
    const reason = this.#endOfLife(slot);
    if (reason === undefined) this.#restore(slot);
    else this.stock.destroy(slot, reason, reason !== 'close');
  }

  #endOfLife(slot: Slot<T>): DestroyReason | undefined {
    if (this.#state === 'closed') return 'close';
    if (slot.expiresAt <= this.stock.time) return slot.doom;
    if (slot.uses >= this.settings.maxUses) return 'uses';
    return this.renewal.excess > 0 ? 'resize' : undefined;
  }

  /** A good resource goes to the first in line, or lies idle. */
  #restore(slot: Slot<T>): void {
    if (this.#ceiling?.claims(this) === true) {
      this.stock.destroy(slot, 'yielded', true);
    } else if (this.waiters.length === 0) {
      this.stock.shelve(slot);
      this.#ceiling?.shareOut();
    } else if (!this.settings.testOnBorrow) this.#hand(slot);
    else {
      this.stock.shelve(slot);
      this.#dispense();
    }
  }

  // Creations

  adopt(resource: T): boolean {
    const slot = this.stock.admit(resource);
    if (slot === null) return false;
    if (this.#state === 'closed') this.stock.destroy(slot, 'close', false);
    else {
      this.#sweep.start();
      if (this.waiters.length > 0) this.#hand(slot);
      else if (this.renewal.excess > 0) this.stock.destroy(slot, 'resize', true);
      else this.stock.shelve(slot);
    }
    return true;
  }

  condemn(resource: T): void {
    const slot = this.stock.admit(resource);
    if (slot !== null) this.stock.destroy(slot, 'invalidated', true);
  }

  turnAway(resource: T): void {
    this.stock.turnAway(resource);
  }

  refuse(waiter: Waiter<T>, error: CreateError): void {
    this.waiters.remove(waiter);
    waiter.reject(error);
  }

  roomChanged(): void {
    this.#updateReturns();
    this.#dispense();
    this.creator.fillUp();
    if (this.stock.residents.size === 0) this.#sweep.stop();
    this.closing.check();
  }

  firstWithoutCreation(): Waiter<T> | null {
    return this.waiters.firstWithoutCreation();
  }

  shortfall(): number {
    const onTheWay = this.creator.underWay + this.tally.validating + this.tally.resetting;
    return this.waiters.length - this.stock.idle.length - onTheWay;
  }

  shortfallOfMin(): number {
    return this.#state === 'open' ? this.settings.min - this.usable - this.creator.underWay : 0;
  }

  get usable(): number {
    return this.stock.usable;
  }

  get size(): number {
    return this.stock.residents.size + this.creator.underWay;
  }

  get spareResourceCapacity(): number {
    const own = this.settings.max - this.size;
    return this.#ceiling === null ? own : Math.min(own, this.#ceiling.roomFor(this));
  }

  // Under a common ceiling

  get leaving(): number {
    return this.tally.destroying;
  }

  get spare(): number {
    return this.stock.idle.length;
  }

  get firstTicket(): number {
    return this.waiters.first?.ticket ?? Number.POSITIVE_INFINITY;
  }

  isStarved(): boolean {
    return this.shortfall() > 0 && this.size < this.settings.max;
  }

  giveUpIdle(): void {
    const slot = this.stock.idle.first;
    if (slot !== null) this.stock.evict(slot, 'yielded');
  }

  serve(): void {
    this.#dispense();
  }

  // Those who give up

  expired(waiters: readonly Waiter<T>[]): void {
    this.tally.acquireTimeouts += waiters.length;
    const stats = this.stats();
    const loans = this.stock.loans();
    const { lastError } = this.creator;
    for (const waiter of waiters) {
      waiter.reject(
        new AcquireTimeoutError(
          this.name,
          waiter.timeoutMillis,
          this.#waitedFor(waiter),
          stats,
          loans,
          lastError,
        ),
      );
    }
    this.closing.check();
  }

  #waitedFor(waiter: Waiter<T>): PoolPhase {
    if (waiter.creation !== null) return 'create';
    return this.tally.validating > 0 ? 'validate' : 'wait';
  }

  aborted(waiter: Waiter<T>): void {
    waiter.reject(waiter.signal?.reason);
    this.closing.check();
  }

  stats(): PoolStats {
    return {
      size: this.size,
      available: this.stock.idle.length,
      borrowed: this.tally.borrowed,
      pending: this.waiters.length,
      creating: this.creator.underWay,
      validating: this.tally.validating,
      resetting: this.tally.resetting,
      destroying: this.tally.destroying,
      min: this.settings.min,
      max: this.settings.max,
      loans: this.tally.loans,
      created: this.tally.created,
      destroyed: this.tally.destroyed,
      destroyedBy: { ...this.tally.destroyedBy },
      detached: this.tally.detached,
      waited: this.tally.waited,
      waitMillis: percentilesOf(this.tally.waits),
      holdMillis: percentilesOf(this.tally.holds),
      createErrors: this.creator.errors,
      acquireTimeouts: this.tally.acquireTimeouts,
    };
  }
}
