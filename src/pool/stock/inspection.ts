/**
 * What happens to a resource between two loans: it is reset and validated when it comes back, validated before it is
 * lent, and validated now and then while it is idle. Each of these waits for the factory, and whoever waits looks again
 * at the state of the slot when it goes on, since a close may have taken it meanwhile.
 */

import type { FactoryCalls } from '../creation/factory-calls.js';
import type { DestroyReason } from '../factory.js';
import type { Slot } from '../loan/slot.js';
import type { PoolCounters } from '../pool-counters.js';
import type { Stock } from './stock.js';

/** What an inspection needs of its pool. */
export interface InspectionHost<T> {
  readonly stock: Stock<T>;
  readonly counters: PoolCounters;
  /** Nothing is kept any more. */
  readonly isClosed: boolean;
  /** There are more resources than there may be. */
  readonly hasExcess: boolean;
  /** A good slot in no state goes to the first in line; false if nobody waits. */
  handOver(slot: Slot<T>): boolean;
  /** A good slot in no state that came back is lent, or laid down. */
  makeAvailable(slot: Slot<T>): void;
  /** Callers may be served now, or somebody may have waited for the inspection to end. */
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

  /** Validates a slot that was idle, for whoever is first in line then. */
  beforeLoan(slot: Slot<T>): void {
    this.#validate(slot, () => this.#host.stock.putIdle(slot));
  }

  /** Validates an idle slot for its own sake; it stays where it is in the order of idle ones. */
  keepAlive(slot: Slot<T>): void {
    const { stock } = this.#host;
    stock.idle.remove(slot);
    this.#validate(slot, () => {
      slot.validatedAt = stock.refreshTime();
      stock.restoreIdle(slot);
    });
  }

  /** Looks at a resource that came back; settles when it has been reset and validated, where that is asked for. */
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
    this.#calls.inspectReturn(slot.resource, (unfit) => {
      isInspected = true;
      if (slot.state === 'resetting') {
        counters.resetting--;
        if (unfit !== undefined) stock.destroy(slot, unfit, true);
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

  #validate(slot: Slot<T>, lay: () => void): void {
    const { stock, counters } = this.#host;
    slot.state = 'validating';
    counters.validating++;
    this.#calls.validate(slot.resource, (valid) => {
      if (slot.state !== 'validating') return;
      counters.validating--;
      if (!valid) stock.destroy(slot, 'invalid', false);
      else if (this.#host.isClosed) stock.destroy(slot, 'close', false);
      else if (slot.expiresAt <= stock.time) stock.destroy(slot, slot.expiryReason, true);
      else if (!this.#host.handOver(slot)) lay();
      this.#host.inspected();
    });
  }

  #keepOrEnd(slot: Slot<T>): void {
    const reason = this.#endOfLife(slot);
    if (reason === undefined) this.#host.makeAvailable(slot);
    else this.#host.stock.destroy(slot, reason, reason !== 'close');
  }

  #endOfLife(slot: Slot<T>): DestroyReason | undefined {
    if (this.#host.isClosed) return 'close';
    if (slot.expiresAt <= this.#host.stock.time) return slot.expiryReason;
    return this.#host.hasExcess ? 'resize' : undefined;
  }
}
