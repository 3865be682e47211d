/**
 * Draining, clearing and closing. They wait for things to come back, so each call is a wait of its own with a condition
 * that is looked at again whenever something has come back; a second `close` may be more impatient than the first.
 *
 * ```
 *   open ──drain()──▶ draining ──close()──▶ closed
 *     └───────────────close()────────────────▲
 * ```
 *
 * Draining serves those who wait already; closing turns them away. A close never hangs: after the grace, what is still
 * out is reported, and with `force` destroyed, and a destruction has a timeout.
 */
import type { TimerHandle } from '../core/clock.js';
import type { Creator } from './creation/creator.js';
import type { Slot } from './loan/slot.js';
import type { PoolCounters } from './pool-counters.js';
import { LeasesOutError } from './pool-errors.js';
import type { PoolEvents } from './pool-events.js';
import type { CloseOptions, PoolSettings } from './pool-options.js';
import type { Waiter } from './queue/waiter.js';
import type { Stock } from './stock/stock.js';

/** What closing needs of its pool. */
export interface ShutdownHost<T> {
  readonly settings: PoolSettings;
  readonly stock: Stock<T>;
  readonly counters: PoolCounters;
  readonly creator: Creator<T, Waiter<T>>;
  readonly events: PoolEvents;
  readonly waiters: { readonly length: number };
  /** Marks a loan as ended, whatever its holder thinks. */
  endLoan(slot: Slot<T>, byForce: boolean): void;
}

/** A wait for a condition. */
interface Wait {
  isOver(): boolean;
  end(): void;
}

/** The end of one pool. */
export class Shutdown<T> {
  readonly #pool: ShutdownHost<T>;
  readonly #waits = new Set<Wait>();

  constructor(pool: ShutdownHost<T>) {
    this.#pool = pool;
  }

  /** Something has changed: looks whether it is what somebody waits for. */
  check(): void {
    for (const wait of this.#waits) {
      if (!wait.isOver()) continue;
      this.#waits.delete(wait);
      wait.end();
    }
  }

  /** Settles when nobody waits and everything has come back. */
  whenReturned(): Promise<void> {
    const { waiters, counters } = this.#pool;
    return new Promise((resolve) => {
      this.#waits.add({
        isOver: () =>
          waiters.length + counters.borrowed + counters.validating + counters.resetting === 0,
        end: resolve,
      });
      this.check();
    });
  }

  /** Destroys what is idle once the creations under way have ended; settles when it is gone. */
  async clear(): Promise<void> {
    const { stock, creator } = this.#pool;
    await creator.whenEnded();
    stock.evictAll('clear');
    const leaving = [...stock.slots].filter((slot) => slot.state === 'destroying');
    await Promise.all(leaving.map((slot) => slot.whenGone()));
  }

  /** Settles when the pool is empty; rejects when something is still out after the grace, without `force`. */
  async whenEmpty({ graceMillis, force }: Required<CloseOptions>): Promise<void> {
    if (await this.#emptyWithin(graceMillis)) return;
    this.#abandonUnheld();
    const loans = this.#pool.stock.loans();
    if (loans.length > 0) {
      this.#pool.events.emit('leasesOut', loans);
      if (!force) throw new LeasesOutError(this.#pool.settings.name, graceMillis, loans);
      this.#forfeitHeld();
    }
    await this.#emptyWithin(Number.POSITIVE_INFINITY);
  }

  #emptyWithin(graceMillis: number): Promise<boolean> {
    const { clock } = this.#pool.settings;
    return new Promise((resolve) => {
      let timer: TimerHandle | undefined;
      const wait: Wait = {
        isOver: () => this.#pool.stock.isEmpty() && this.#pool.creator.creating === 0,
        end: () => {
          if (timer !== undefined) clock.clearTimer(timer);
          resolve(true);
        },
      };
      const giveUp = (): void => {
        if (this.#waits.delete(wait)) resolve(false);
      };
      this.#waits.add(wait);
      this.check();
      if (graceMillis === 0) giveUp();
      else if (graceMillis !== Number.POSITIVE_INFINITY && this.#waits.has(wait)) {
        timer = clock.setTimer(giveUp, graceMillis);
      }
    });
  }

  /** Destroys what nobody holds, whatever is being done with it. */
  #abandonUnheld(): void {
    const { stock, counters, creator } = this.#pool;
    creator.abandonAll();
    for (const slot of [...stock.slots]) {
      if (slot.state === 'validating') counters.validating--;
      else if (slot.state === 'resetting') counters.resetting--;
      else continue;
      stock.destroy(slot, 'close', false);
    }
  }

  /** Destroys what somebody holds. */
  #forfeitHeld(): void {
    for (const slot of [...this.#pool.stock.slots]) {
      if (slot.state !== 'borrowed') continue;
      this.#pool.endLoan(slot, true);
      this.#pool.stock.destroy(slot, 'forced', false);
    }
  }
}
