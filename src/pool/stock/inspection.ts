/**
 * Inspects resources between two loans. It resets and validates returned ones, validates idle ones before they are lent, and
 * validates idle ones as a keepalive. Each inspection waits for the factory. Afterwards it checks the state of the slot again,
 * because a close may have destroyed the resource in the meantime.
 */
import type { FactoryCalls } from '../creation/factory-calls.js';
import type { DestroyReason } from '../factory.js';
import type { Slot } from '../loan/slot.js';
import type { PoolCounters } from '../pool-counters.js';
import type { Stock } from './stock.js';

/** What an inspection asks of its pool, and tells it. */
export interface InspectionHost<T> {
  readonly settings: { readonly validateAfterIdleMillis: number };
  readonly stock: Stock<T>;
  readonly counters: PoolCounters;
  /** Whether the pool destroys every resource that comes back. */
  readonly isClosed: boolean;
  /** Whether there are more resources than `max` allows. */
  readonly capacity: { readonly hasExcess: boolean };
  /** Lends a good slot in no state to the first waiter; false if there is none. */
  offer(slot: Slot<T>): boolean;
  /** Lends a good slot in no state to the first waiter, or puts it among the idle ones. */
  makeAvailable(slot: Slot<T>): void;
  /** Told that an inspection has ended: there may be waiters to serve, or a `drain` that waited for it. */
  inspected(): void;
}

/** The inspections of one pool. */
export class Inspection<T> {
  readonly #host: InspectionHost<T>;
  readonly #calls: FactoryCalls<T>;

  constructor(host: InspectionHost<T>, calls: FactoryCalls<T>) {
    this.#host = host;
    this.#calls = calls;
  }

  /** Whether a slot has to be validated before it is lent: it was neither used nor validated for a while. */
  isDue(slot: Slot<T>): boolean {
    const { settings, stock } = this.#host;
    const { validateAfterIdleMillis } = settings;
    return (
      validateAfterIdleMillis === 0 ||
      stock.refreshTime() - slot.validatedAt >= validateAfterIdleMillis
    );
  }

  /** Validates a slot that was idle, then lends it to the first waiter. */
  beforeLoan(slot: Slot<T>): void {
    this.#validate(slot, () => this.#host.stock.putIdle(slot));
  }

  /** Validates an idle slot; it keeps its place in the order of idle ones. `ended` is called when that is done. */
  keepAlive(slot: Slot<T>, ended: () => void): void {
    const { stock } = this.#host;
    stock.idle.remove(slot);
    this.#validate(slot, () => stock.restoreIdle(slot), true, ended);
  }

  /** Resets and validates a returned resource, as the options ask. Settles when that is done. */
  afterLoan(slot: Slot<T>): void | Promise<void> {
    if (this.#endOfLife(slot) !== undefined || !this.#calls.inspectsReturns) {
      this.#keepOrEnd(slot);
      this.#host.inspected();
      return;
    }
    const { counters, stock } = this.#host;
    slot.state = 'resetting';
    counters.resetting++;
    let isInspected = false;
    let report: (() => void) | undefined;
    const isKept = (): boolean => this.#endOfLife(slot) === undefined;
    this.#calls.inspectReturn(slot.resource, isKept, (unfit) => {
      isInspected = true;
      if (slot.state === 'resetting') {
        counters.resetting--;
        if (unfit !== undefined) stock.destroyInBackground(slot, unfit);
        else this.#keepOrEnd(slot);
        this.#host.inspected();
      }
      report?.();
    });
    if (isInspected) return;
    return new Promise((resolve) => {
      report = resolve;
    });
  }

  #validate(slot: Slot<T>, putBack: () => void, isBackground = false, ended?: () => void): void {
    const { stock, counters } = this.#host;
    const keep = (): void => {
      if (this.#host.offer(slot)) return;
      slot.validatedAt = stock.refreshTime();
      putBack();
    };
    slot.state = 'validating';
    counters.validating++;
    const settled = (valid: boolean): void => {
      ended?.();
      if (slot.state !== 'validating') return;
      counters.validating--;
      if (valid) this.#endOr(slot, keep);
      else stock.destroy(slot, 'invalid');
      this.#host.inspected();
    };
    this.#calls.validate(slot.resource, settled, isBackground);
  }

  #keepOrEnd(slot: Slot<T>): void {
    this.#endOr(slot, () => this.#host.makeAvailable(slot));
  }

  /** Destroys a resource that may not stay, or keeps it. */
  #endOr(slot: Slot<T>, keep: () => unknown): void {
    const reason = this.#endOfLife(slot);
    const { stock } = this.#host;
    if (reason === undefined) keep();
    else if (reason === 'close') stock.destroy(slot, reason);
    else stock.destroyInBackground(slot, reason);
  }

  #endOfLife(slot: Slot<T>): DestroyReason | undefined {
    if (this.#host.isClosed) return 'close';
    if (slot.expiresAt <= this.#host.stock.time) return slot.expiryReason;
    return this.#host.capacity.hasExcess ? 'resize' : undefined;
  }
}
