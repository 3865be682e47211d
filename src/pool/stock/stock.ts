/**
 * The resources of a pool: their births, the idle ones, and their deaths. A resource that is being destroyed stays in
 * stock, and counts towards `max`, until it is gone.
 */
import { LinkedList } from '../../core/linked-list.js';
import type { FactoryCalls } from '../creation/factory-calls.js';
import type { DestroyReason } from '../factory.js';
import type { LoanOrigins } from '../loan/loan-origin.js';
import { loansOut } from '../loan/loans-out.js';
import type { Lender } from '../loan/slot.js';
import { Slot, UNSEEN } from '../loan/slot.js';
import type { PoolCounters } from '../pool-counters.js';
import type { PoolEvents } from '../pool-events.js';
import type { PoolSettings } from '../pool-options.js';
import type { LoanInfo } from '../pool-stats.js';
import { SlotIndex } from './slot-index.js';

/** How much of the lifetime is left to chance, so that resources born together do not die together. */
const LIFETIME_JITTER = 0.1;

/** Whose stock it is. */
export interface StockHost<T> extends Lender<T> {
  readonly origins: LoanOrigins<T>;
  /** A resource is gone and has left room. */
  roomChanged(): void;
}

/** The resources of one pool. */
export class Stock<T> {
  readonly slots: SlotIndex<T> = new SlotIndex();
  /** Idle resources in the order of coming back. */
  readonly idle: LinkedList<Slot<T>> = new LinkedList();
  /** The coarse time: refreshed by each tick of the sweep, each birth, and every now and then while lending. */
  time: number;
  /** True if the longest idle is lent first. */
  readonly #fifo: boolean;
  readonly #host: StockHost<T>;
  readonly #events: PoolEvents;
  readonly #settings: PoolSettings;
  readonly #calls: FactoryCalls<T>;
  readonly #counters: PoolCounters;
  /** Resources being destroyed that never had a place. */
  #unplaced = 0;

  constructor(
    host: StockHost<T>,
    events: PoolEvents,
    settings: PoolSettings,
    calls: FactoryCalls<T>,
    counters: PoolCounters,
  ) {
    this.#host = host;
    this.#events = events;
    this.#fifo = settings.fifo;
    this.#settings = settings;
    this.#calls = calls;
    this.#counters = counters;
    this.time = settings.clock.now();
  }

  /** How many there are, without those being destroyed. */
  get usable(): number {
    return this.slots.size - this.#counters.destroying;
  }

  /** True when nothing is left at all. */
  isEmpty(): boolean {
    return this.slots.size === 0 && this.#unplaced === 0;
  }

  refreshTime(): number {
    this.time = this.#settings.clock.now();
    return this.time;
  }

  /** Takes a new resource in, in no state yet; `null` for an object that is in stock already. */
  add(resource: T): Slot<T> | null {
    if (this.slots.has(resource)) return null;
    const { maxLifetimeMillis, maxUses, random } = this.#settings;
    const lifetimeMillis = maxLifetimeMillis * (1 - LIFETIME_JITTER * random());
    const expiresAt = this.refreshTime() + lifetimeMillis;
    const slot = new Slot(resource, this.#host, expiresAt, maxUses);
    slot.validatedAt = this.time;
    this.slots.add(slot);
    this.#counters.created++;
    this.#host.origins.watch?.resourceCreated(slot);
    this.#events.emit('created', resource);
    return slot;
  }

  /** Lays a slot that is in no state among the idle ones. */
  putIdle(slot: Slot<T>): void {
    slot.state = 'idle';
    slot.idleSince = UNSEEN;
    this.idle.append(slot);
  }

  /** Lays a slot that was taken from among the idle ones, and is still as long idle, back where it was. */
  restoreIdle(slot: Slot<T>): void {
    slot.state = 'idle';
    this.idle.prepend(slot);
  }

  /** Takes the idle slot whose turn it is; it is in no state then. */
  takeIdle(): Slot<T> | null {
    return this.#fifo ? this.idle.shift() : this.idle.pop();
  }

  /** Destroys an idle resource. */
  evict(slot: Slot<T>, reason: DestroyReason): void {
    this.idle.remove(slot);
    this.destroy(slot, reason, true);
  }

  evictAll(reason: DestroyReason): void {
    for (const slot of [...this.idle]) {
      if (slot.state === 'idle') this.evict(slot, reason); // Else a destruction that settled at once had it lent.
    }
  }

  /** Destroys the resource of a slot that is in no state. */
  destroy(slot: Slot<T>, reason: DestroyReason, background: boolean): void {
    slot.state = 'destroying';
    this.#counters.destroying++;
    this.#calls.destroy(slot.resource, reason, background, () => {
      this.#counters.destroying--;
      this.#counters.destroyed++;
      this.#counters.destroyedBy[reason] = (this.#counters.destroyedBy[reason] ?? 0) + 1;
      this.slots.noteDestroyed(slot.resource, slot.endStack);
      this.#events.emit('destroyed', { resource: slot.resource, reason });
      this.#leave(slot);
    });
  }

  /** Lets the resource of a slot that is in no state go, with whoever has it. */
  release(slot: Slot<T>): void {
    this.#counters.detached++;
    this.#events.emit('detached', slot.resource);
    this.#leave(slot);
  }

  /** Destroys a resource that has no place. */
  destroyUnplaced(resource: T): void {
    if (this.slots.has(resource)) return;
    this.#unplaced++;
    this.#calls.destroy(resource, 'late', true, () => {
      this.#unplaced--;
      this.slots.noteDestroyed(resource, undefined);
      this.#host.roomChanged();
    });
  }

  #leave(slot: Slot<T>): void {
    this.slots.remove(slot);
    if (slot.node !== undefined) this.#host.origins.watch?.resourceGone(slot);
    slot.markGone();
    this.#host.roomChanged();
  }

  /** What is out, longest first. */
  loans(): LoanInfo[] {
    return loansOut(this.slots, this.refreshTime());
  }
}
