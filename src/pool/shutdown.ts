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
import type { Slot } from './loan/slot.js';
import type { PoolCounters } from './pool-counters.js';
import { LeasesOutError } from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { CloseOptions, PoolSettings } from './pool-options.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** The shutdown of one pool. */
export class Shutdown<T> {
  readonly #settings: PoolSettings;
  readonly #stock: Stock<T>;
  readonly #creator: Creator<T, Waiter<T>>;
  readonly #counters: PoolCounters;
  readonly #waiters: { readonly length: number };
  readonly #events: PoolEvents;
  readonly #forceEnd: (slot: Slot<T>) => void;
  readonly #waits: ConditionWaits;

  /** `forceEnd` marks a loan as ended although its holder has not released it. */
  constructor(
    settings: PoolSettings,
    stock: Stock<T>,
    creator: Creator<T, Waiter<T>>,
    counters: PoolCounters,
    waiters: { readonly length: number },
    events: PoolEvents,
    forceEnd: (slot: Slot<T>) => void,
  ) {
    this.#settings = settings;
    this.#stock = stock;
    this.#creator = creator;
    this.#counters = counters;
    this.#waiters = waiters;
    this.#events = events;
    this.#forceEnd = forceEnd;
    this.#waits = new ConditionWaits(guardedClock(settings.clock));
  }

  /** Ends the waits whose condition now holds. Call it after each change of the pool. */
  check(): void {
    this.#waits.check();
  }

  /** Settles when no caller waits and everything has come back. */
  async whenReturned(): Promise<void> {
    await this.#waits.until(() => this.#isReturned());
  }

  /** Destroys the idle resources once the running creations have ended. Settles when they are gone. */
  async clear(): Promise<void> {
    await this.#creator.whenEnded();
    this.#stock.evictAll('clear');
    const leaving = [...this.#stock.slots].filter((slot) => slot.state === 'destroying');
    await Promise.all(leaving.map((slot) => slot.whenGone()));
  }

  /** Settles when the pool is empty. Rejects when loans are still out after the grace, unless `force` is set. */
  async whenEmpty({ graceMillis, force }: Required<CloseOptions>): Promise<void> {
    if (await this.#emptyWithin(graceMillis)) return;
    this.#destroyUnheld();
    const loans = this.#stock.loans();
    if (loans.length > 0) {
      this.#events.emitLater('leasesOut', loans);
      if (!force) throw new LeasesOutError(this.#settings.name, graceMillis, loans);
      this.#destroyHeld();
    }
    await this.#emptyWithin(Number.POSITIVE_INFINITY);
  }

  #isReturned(): boolean {
    const { borrowed, validating, resetting } = this.#counters;
    return this.#waiters.length + borrowed + validating + resetting === 0;
  }

  #emptyWithin(graceMillis: number): Promise<boolean> {
    return this.#waits.until(
      () => this.#stock.isEmpty() && this.#counters.creating === 0,
      graceMillis,
    );
  }

  /** Destroys what no caller holds: creations, validations and resets that are still running. */
  #destroyUnheld(): void {
    const counters = this.#counters;
    this.#creator.abandonAll();
    for (const slot of [...this.#stock.slots]) {
      if (slot.state === 'validating') counters.validating--;
      else if (slot.state === 'resetting') counters.resetting--;
      else continue;
      this.#stock.destroy(slot, 'close', false);
    }
  }

  #destroyHeld(): void {
    for (const slot of [...this.#stock.slots]) {
      if (slot.state !== 'borrowed') continue;
      this.#forceEnd(slot);
      this.#stock.destroy(slot, 'forced', false);
    }
  }
}
