/**
 * The resources of a pool, in any state but being created. A resource that is being destroyed stays in stock, and counts
 * towards `max`, until it is gone.
 */

import { fractionFrom } from '../../core/fraction.js';
import { LinkedList } from '../../core/linked-list.js';
import type { PendingNode } from '../../core/pending-node.js';
import { refusePromise } from '../../core/refuse-promise.js';
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

const PROMISE_OF_ANSWER =
  'evict: `isChosen` must answer true or false, got a promise. Find out first which resources to evict.';

/** The random part of a lifetime, so that resources created together are not destroyed together. */
const LIFETIME_JITTER = 0.1;

/** The pool that a stock belongs to. */
export interface StockHost<T> extends Lender<T> {
  readonly origins: LoanOrigins<T>;
  /** Told that there is a resource more, or that one begins to leave. */
  changed(): void;
  /** Told that `destroy` has not ended at once: `min` may need another resource, if there is room for one. */
  leaving(): void;
  /** Told that a resource is gone, so another may be created. */
  roomChanged(): void;
  /** Told that a resource broke before its first loan, `lifeMillis` after it was created or validated. */
  brokeUnused(lifeMillis: number): void;
}

/** The resources of one pool. */
export class Stock<T> {
  /** All slots, idle or not. */
  readonly slots: SlotIndex<T> = new SlotIndex();
  /** Idle slots, longest idle first. */
  readonly idle: LinkedList<Slot<T>> = new LinkedList();
  /** The coarse time, in milliseconds: refreshed by each tick of the sweep, each creation and some of the loans. */
  time: number;
  /** Whether the longest idle resource is lent first. */
  readonly #fifo: boolean;
  readonly #host: StockHost<T>;
  readonly #events: PoolEvents;
  readonly #settings: PoolSettings;
  readonly #calls: FactoryCalls<T>;
  readonly #counters: PoolCounters;
  /** How many resources are being destroyed that never had a slot. */
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

  /** Whether no resource is left, and none is being destroyed. */
  isEmpty(): boolean {
    return this.slots.size === 0 && this.#unplaced === 0;
  }

  /** Reads the clock and keeps the time. */
  refreshTime(): number {
    this.time = this.#settings.clock.now();
    return this.time;
  }

  /** Adds a slot for a new resource, in no state yet; `null` for an object that is in stock already. */
  add(resource: T, pendingNode?: PendingNode): Slot<T> | null {
    if (this.slots.has(resource)) return null;
    const { maxLifetimeMillis, maxUses, random } = this.#settings;
    const lifetimeMillis = maxLifetimeMillis * (1 - LIFETIME_JITTER * fractionFrom(random));
    const expiresAt = this.refreshTime() + lifetimeMillis;
    const slot = new Slot(resource, this.#host, expiresAt, maxUses);
    slot.validatedAt = this.time;
    this.slots.add(slot);
    this.#host.changed();
    this.#counters.created++;
    this.#host.origins.watch?.resourceCreated(slot, pendingNode);
    this.#events.emitLater('created', resource);
    return slot;
  }

  /** Puts a slot that is in no state behind the idle ones. */
  putIdle(slot: Slot<T>): void {
    slot.state = 'idle';
    slot.idleSince = UNSEEN;
    this.idle.append(slot);
  }

  /** Puts a slot that was only inspected back before the idle ones, as long idle as it was. */
  restoreIdle(slot: Slot<T>): void {
    slot.state = 'idle';
    this.idle.prepend(slot);
  }

  /** The idle slot that is lent next. */
  get nextIdle(): Slot<T> | null {
    return this.#fifo ? this.idle.first : this.idle.last;
  }

  /** Takes the next idle slot; it is in no state then. */
  takeIdle(): Slot<T> | null {
    return this.#fifo ? this.idle.shift() : this.idle.pop();
  }

  /** Destroys an idle resource. */
  evict(slot: Slot<T>, reason: DestroyReason): void {
    this.idle.remove(slot);
    this.destroyInBackground(slot, reason);
  }

  /** Destroys all idle resources, for a caller that waits until they are gone. */
  evictAll(reason: DestroyReason): void {
    for (const slot of [...this.idle]) {
      if (slot.state !== 'idle') continue; // A destruction that ended at once may have lent it.
      this.idle.remove(slot);
      this.destroy(slot, reason);
    }
  }

  /** Destroys the resource of a slot that is in no state. Keeps the process alive until it is gone. */
  destroy(slot: Slot<T>, reason: DestroyReason): void {
    this.#destroy(slot, reason, false);
  }

  /** Does what {@link destroy} does, and keeps the process alive only if a caller waits until the resource is gone. */
  destroyInBackground(slot: Slot<T>, reason: DestroyReason): void {
    this.#destroy(slot, reason, !slot.isAwaited);
  }

  #destroy(slot: Slot<T>, reason: DestroyReason, isBackground: boolean): void {
    slot.state = 'destroying';
    this.#counters.destroying++;
    this.#host.changed();
    let isGone = false;
    this.#calls.destroy(slot.resource, reason, isBackground, () => {
      isGone = true;
      this.#counters.destroying--;
      this.#counters.countDestroyed(reason);
      this.slots.noteDestroyed(slot.resource, slot);
      this.#events.emitLater('destroyed', { resource: slot.resource, reason });
      this.#remove(slot);
    });
    if (!isGone) this.#host.leaving();
  }

  /**
   * Destroys the idle resources for which `isChosen` answers true at once, and lets the others expire that it is true for.
   * Returns how many there are.
   */
  evictWhere(isChosen: (resource: T) => boolean, reason: DestroyReason): number {
    let chosen = 0;
    for (const slot of [...this.slots]) {
      if (slot.state === 'destroying' || slot.state === 'gone') continue;
      const answer: unknown = isChosen(slot.resource);
      refusePromise(answer, PROMISE_OF_ANSWER); // It would count as true, and every resource would be evicted.
      if (!answer) continue;
      chosen++;
      slot.expire(reason);
      if (slot.state !== 'idle') continue;
      if (reason === 'broken' && slot.loan === 0) {
        this.#host.brokeUnused(this.refreshTime() - slot.validatedAt);
      }
      this.evict(slot, reason);
    }
    return chosen;
  }

  /** Removes a slot whose resource its holder keeps. */
  detach(slot: Slot<T>): void {
    this.#counters.detached++;
    this.#events.emitLater('detached', slot.resource);
    this.#remove(slot);
  }

  /** Destroys a resource that has no slot. */
  destroyUnplaced(resource: T): void {
    if (this.slots.has(resource)) return;
    this.#unplaced++;
    const settled = (): void => {
      this.#unplaced--;
      this.slots.noteDestroyed(resource, undefined);
      this.#host.roomChanged();
    };
    this.#calls.destroy(resource, 'late', true, settled, false);
  }

  #remove(slot: Slot<T>): void {
    this.slots.remove(slot);
    if (slot.node !== undefined) this.#host.origins.watch?.resourceGone(slot);
    slot.markGone();
    this.#host.roomChanged();
  }

  /** The loans that are out, longest first. */
  loans(): LoanInfo[] {
    return loansOut(this.slots, this.refreshTime());
  }
}
