/**
 * The pool's only housekeeping timer, unref'd: it keeps the coarse time, and evicts what has lain idle too long or lived
 * too long. It runs only while there is something to sweep.
 *
 * Giving back a resource does not look at the clock, which would cost as much as the rest of it. The sweep dates idle
 * resources instead, when it first sees them: up to one tick late, so that nothing is evicted before its time. The idle
 * list is in the order of giving back, so the undated are all at its end.
 */

import type { RunInContext } from '../../core/async-context.js';
import type { TimerHandle } from '../../core/clock.js';
import { type Slot, UNSEEN } from '../loan/slot.js';
import type { PoolSettings } from '../pool-options.js';
import type { Stock } from './stock.js';

/** The longest time between two ticks, in milliseconds: how coarse the coarse time may be. */
const LONGEST_TICK_MILLIS = 1_000;

/** Who is told what the housekeeping comes upon. */
export interface SweepListener<T> {
  /** Some time has passed, at most a second. */
  ticked(): void;
  /** An idle slot has been left alone for too long. */
  keepAlive(slot: Slot<T>): void;
}

/** The housekeeping of one pool. */
export class Sweep<T> {
  readonly #stock: Stock<T>;
  readonly #settings: PoolSettings;
  readonly #runInContext: RunInContext;
  readonly #listener: SweepListener<T>;
  readonly #tickMillis: number;
  readonly #ticksPerRun: number;
  #ticks = 0;
  /** Set while it runs. */
  timer: TimerHandle | null = null;

  constructor(
    stock: Stock<T>,
    settings: PoolSettings,
    runInContext: RunInContext,
    listener: SweepListener<T>,
  ) {
    const interval = settings.evictionRunIntervalMillis;
    this.#stock = stock;
    this.#settings = settings;
    this.#runInContext = runInContext;
    this.#listener = listener;
    this.#tickMillis = interval > 0 ? Math.min(interval, LONGEST_TICK_MILLIS) : LONGEST_TICK_MILLIS;
    this.#ticksPerRun =
      interval > 0 ? Math.ceil(interval / this.#tickMillis) : Number.POSITIVE_INFINITY;
  }

  /** Sees to it that the sweep runs. */
  start(): void {
    if (this.timer !== null) return;
    this.timer = this.#runInContext(() =>
      this.#settings.clock.setTimer(() => this.#tick(), this.#tickMillis, { background: true }),
    );
  }

  /** Sweeps no more. */
  stop(): void {
    if (this.timer === null) return;
    this.#settings.clock.clearTimer(this.timer);
    this.timer = null;
  }

  #tick(): void {
    this.timer = null;
    const now = this.#stock.refreshTime();
    this.#listener.ticked();
    this.#ticks++;
    if (this.#ticks >= this.#ticksPerRun) {
      this.#ticks = 0;
      this.#run(now);
    }
    if (this.#stock.slots.size > 0) this.start();
  }

  #run(now: number): void {
    const { idle } = this.#stock;
    for (let slot = idle.last; slot !== null && slot.idleSince === UNSEEN; slot = slot.previous) {
      slot.idleSince = now;
    }
    const overdue: Slot<T>[] = [];
    let tests = this.#settings.numTestsPerEvictionRun;
    for (const slot of idle) {
      // A destruction that settles at once may have started a step that took the next ones.
      if (tests-- <= 0 || slot.state !== 'idle') break;
      const reason = this.#reasonToEvict(slot, now);
      if (reason !== undefined) this.#stock.evict(slot, reason);
      else if (this.#isOverdue(slot, now)) overdue.push(slot);
    }
    // The newest first: each is put back at the front, the longest idle at last.
    for (const slot of overdue.reverse()) if (slot.state === 'idle') this.#listener.keepAlive(slot);
  }

  #isOverdue(slot: Slot<T>, now: number): boolean {
    return now - Math.max(slot.idleSince, slot.validatedAt) >= this.#settings.keepaliveMillis;
  }

  #reasonToEvict(slot: Slot<T>, now: number): 'idle' | 'lifetime' | undefined {
    if (slot.expiresAt <= now) return 'lifetime';
    const idleMillis = now - slot.idleSince;
    if (idleMillis >= this.#settings.idleTimeoutMillis) return 'idle';
    const { softIdleTimeoutMillis, min } = this.#settings;
    return softIdleTimeoutMillis > 0 &&
      this.#stock.idle.length > min &&
      idleMillis >= softIdleTimeoutMillis
      ? 'idle'
      : undefined;
  }
}
