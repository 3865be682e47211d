/**
 * Draining, clearing and closing. Each waits until resources have come back.
 *
 * ```
 *   open ──drain()──▶ draining ──close()──▶ closed
 *     └───────────────close()────────────────▲
 * ```
 *
 * A draining pool serves its waiters; a closing pool rejects them. A close never hangs. After the grace it reports the loans
 * that are still out, or, with `force`, destroys their resources. Every destruction has a timeout.
 */
import { ConditionWaits } from '../core/condition-waits.js';
import { guardedClock } from '../core/guarded-clock.js';
import type { Creator } from './creation/creator.js';
import type { Slot, SlotState } from './loan/slot.js';
import type { PoolCounters } from './pool-counters.js';
import { LeasesOutError } from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { CloseOptions, PoolSettings } from './pool-options.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** The pool that is shut down. */
export interface ShutdownHost<T> {
  readonly settings: PoolSettings;
  readonly stock: Stock<T>;
  readonly creator: Creator<T, Waiter<T>>;
  readonly counters: PoolCounters;
  readonly waiters: { readonly length: number };
  readonly events: PoolEvents;
  /** Marks a loan as ended. `byForce` says that its holder did not end it. */
  endLoan(slot: Slot<T>, byForce: boolean): void;
}

/** The shutdown of one pool. */
export class Shutdown<T> {
  readonly #host: ShutdownHost<T>;
  readonly #waits: ConditionWaits;

  constructor(host: ShutdownHost<T>) {
    this.#host = host;
    this.#waits = new ConditionWaits(guardedClock(host.settings.clock));
  }

  /** Ends the waits whose condition now holds. Call it after each change of the pool. */
  check(): void {
    this.#waits.check();
  }

  /** Settles when no caller waits and everything has come back. */
  async whenReturned(): Promise<void> {
    await this.#waits.until(() => this.#isReturned());
  }

  /**
   * Destroys the idle resources once the running creations have ended, and those that are being validated or reset after that. Settles
   * when they are gone.
   */
  async clear(): Promise<void> {
    const { creator, stock } = this.#host;
    await creator.whenEnded();
    const inspected = [...stock.slots].filter(isInspected);
    for (const slot of inspected) slot.expire('clear');
    stock.evictAll('clear');
    const leaving = [...stock.slots].filter(({ state }) => state === 'destroying');
    await Promise.all([...inspected, ...leaving].map((slot) => slot.whenGone()));
  }

  /** Settles when the pool is empty. Rejects when loans are still out after the grace, unless `force` is set. */
  async whenEmpty({ graceMillis, force }: Required<CloseOptions>): Promise<void> {
    if (await this.#emptyWithin(graceMillis)) return;
    this.#destroyUnheld();
    const { stock, events, settings } = this.#host;
    const loans = stock.loans();
    if (loans.length > 0) {
      events.emitLater('leasesOut', loans);
      if (!force) throw new LeasesOutError(settings.name, graceMillis, loans);
      this.#destroyHeld();
    }
    await this.#emptyWithin(Number.POSITIVE_INFINITY);
  }

  #isReturned(): boolean {
    const { waiters, counters } = this.#host;
    const { borrowed, validating, resetting } = counters;
    return waiters.length + borrowed + validating + resetting === 0;
  }

  #emptyWithin(graceMillis: number): Promise<boolean> {
    const { stock, counters } = this.#host;
    return this.#waits.until(() => stock.isEmpty() && counters.creating === 0, graceMillis);
  }

  /** Destroys what no caller holds: creations, validations and resets that are still running. */
  #destroyUnheld(): void {
    const { stock, counters, creator } = this.#host;
    creator.abandonAll();
    for (const slot of [...stock.slots]) {
      if (slot.state === 'validating') counters.validating--;
      else if (slot.state === 'resetting') counters.resetting--;
      else continue;
      stock.destroy(slot, 'close');
    }
  }

  #destroyHeld(): void {
    const { stock } = this.#host;
    for (const slot of [...stock.slots]) {
      if (slot.state !== 'borrowed') continue;
      this.#host.endLoan(slot, true);
      stock.destroy(slot, 'forced');
    }
  }
}

function isInspected({ state }: { readonly state: SlotState }): boolean {
  return state === 'validating' || state === 'resetting';
}
