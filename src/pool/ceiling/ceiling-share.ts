/** One pool under a shared ceiling: what the other pools need to know of it, and may ask of it. */
import type { Capacity } from '../capacity.js';
import type { DestroyReason } from '../factory.js';
import type { PoolCounters } from '../pool-counters.js';
import type { WaiterQueue } from '../queue/waiter-queue.js';
import type { Stock } from '../stock/stock.js';
import type { CeilingMember, SharedCeiling } from './shared-ceiling.js';

/** The pool behind a share. */
export interface CeilingShareHost<T> {
  /** The state of the pool. A `'paused'` pool creates nothing for its waiters. */
  readonly state: string;
  readonly settings: { readonly maxConcurrentCreates: number };
  readonly capacity: Capacity;
  readonly counters: PoolCounters;
  readonly stock: Stock<T>;
  readonly waiters: WaiterQueue<T>;
  readonly creator: { readonly mayTry: boolean; fillToMin(): void };
  /** Serves the waiters as far as possible. */
  dispense(): void;
}

/** The share of one pool. */
export class CeilingShare<T> implements CeilingMember {
  readonly ceiling: SharedCeiling;
  readonly #host: CeilingShareHost<T>;
  lastGrant = 0;
  #countedSize = 0;
  #countedKept = 0;
  #countedLeaving = 0;

  constructor(ceiling: SharedCeiling, host: CeilingShareHost<T>) {
    this.ceiling = ceiling;
    this.#host = host;
  }

  /** Notes that the pool has lent a resource. */
  granted(): void {
    this.lastGrant = this.ceiling.nextGrant();
  }

  get maxTotal(): number {
    return this.ceiling.maxTotal;
  }

  /** How many more resources the ceiling lets this pool create. */
  get room(): number {
    return this.ceiling.roomFor(this);
  }

  get size(): number {
    return this.#host.capacity.size;
  }

  /** Resources being destroyed, but for destructions that have become slow. */
  get #leaving(): number {
    const { destroying, slowDestroys } = this.#host.counters;
    return destroying - slowDestroys;
  }

  /** Tells the ceiling that the resources, the waiters or the state of the pool have changed. */
  changed(): void {
    const { size } = this;
    const kept = size - this.#host.counters.destroying;
    const leaving = this.#leaving;
    const more = {
      resources: size - this.#countedSize,
      kept: kept - this.#countedKept,
      leaving: leaving - this.#countedLeaving,
    };
    this.#countedSize = size;
    this.#countedKept = kept;
    this.#countedLeaving = leaving;
    this.ceiling.memberChanged(this, more);
  }

  get shortfall(): number {
    const { capacity } = this.#host;
    return Math.min(capacity.shortfall, capacity.max.value - capacity.size);
  }

  get idle(): number {
    return this.#host.stock.idle.length;
  }

  get firstTicket(): number {
    return this.#host.waiters.first?.ticket ?? Number.POSITIVE_INFINITY;
  }

  isStarved(): boolean {
    const { creator, state } = this.#host;
    return state !== 'paused' && creator.mayTry && this.shortfall > 0 && this.#mayCreateNow;
  }

  /** Whether another pool gives up an idle resource for a waiter of this one, without one before it. */
  get mayTakeOver(): boolean {
    const { size, max } = this.#host.capacity;
    return size < max.value && this.#mayCreateNow && this.ceiling.mayMakeRoomFor(this);
  }

  get #mayCreateNow(): boolean {
    const { counters, settings } = this.#host;
    return counters.creating < settings.maxConcurrentCreates;
  }

  /** Whether all pools together have more resources than the ceiling allows. */
  get hasExcess(): boolean {
    return this.ceiling.hasExcess;
  }

  get mayAbandon(): boolean {
    return this.ceiling.mayAbandon;
  }

  countAbandoned(change: 1 | -1): void {
    this.ceiling.countAbandoned(change);
  }

  evictIdle(reason: DestroyReason): void {
    const { stock } = this.#host;
    const slot = stock.idle.first;
    if (slot !== null) stock.evict(slot, reason);
  }

  serve(): void {
    this.#host.dispense();
  }

  awaitRoom(): void {
    this.ceiling.awaitRoom(this);
  }

  fill(): void {
    this.#host.creator.fillToMin();
  }
}
