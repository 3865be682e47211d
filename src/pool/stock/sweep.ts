/**
 * The pool's one housekeeping timer. It refreshes the coarse time, and evicts resources that are idle or old for too long.
 * It runs only while there are resources, or while a limit that `adaptiveMax` has lowered grows. It never keeps the process alive.
 *
 * A return does not read the clock, which would cost as much as the rest of the return. Each tick of the sweep sets `idleSince` when it
 * first sees an idle slot: up to one tick late, so no slot is evicted too early. The idle list is in the order of return, so
 * the slots without `idleSince` are all at its end.
 */

import type { RunInContext } from '../../core/async-context.js';
import { cancelTimer } from '../../core/cancel-timer.js';
import type { Clock, TimerHandle } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { type Slot, UNSEEN } from '../loan/slot.js';
import type { PoolCounters } from '../pool-counters.js';
import type { PoolSettings } from '../pool-options.js';
import type { Stock } from './stock.js';

/** The longest time between two ticks, in milliseconds. The coarse time may be this old. */
const LONGEST_TICK_MILLIS = 1_000;

/** Told what a sweep finds. */
export interface SweepListener<T> {
  /** Told of each tick; at most a second has passed since the last. */
  ticked(): void;
  /** Told of an idle slot that was not validated for `keepaliveMillis`. `ended` is called when it has been validated. */
  keepAlive(slot: Slot<T>, ended: () => void): void;
  /** Whether a resource may leave now. If `min` needs it, a replacement is created first, if there is room for one. */
  mayLeave(): boolean;
}

/** The part of the idle resources that one keepalive takes out of service at a time. */
const KEEPALIVE_PART = 0.25;

/** The sweep of one pool. */
export class Sweep<T> {
  readonly #stock: Stock<T>;
  readonly #settings: PoolSettings;
  readonly #clock: Clock;
  readonly #runInContext: RunInContext;
  readonly #listener: SweepListener<T>;
  readonly #tickMillis: number;
  readonly #ticksPerRun: number;
  readonly #counters: PoolCounters;
  #ticks = 0;
  #loansAtLastRun = 0;
  /** How many keepalives run. */
  #keepalives = 0;
  /** The timer while the sweep runs, else `null`. */
  timer: TimerHandle | null = null;

  constructor(
    stock: Stock<T>,
    settings: PoolSettings,
    counters: PoolCounters,
    runInContext: RunInContext,
    listener: SweepListener<T>,
  ) {
    const interval = settings.evictionRunIntervalMillis;
    this.#stock = stock;
    this.#settings = settings;
    this.#clock = guardedClock(settings.clock);
    this.#counters = counters;
    this.#runInContext = runInContext;
    this.#listener = listener;
    this.#tickMillis = interval > 0 ? Math.min(interval, LONGEST_TICK_MILLIS) : LONGEST_TICK_MILLIS;
    this.#ticksPerRun =
      interval > 0 ? Math.ceil(interval / this.#tickMillis) : Number.POSITIVE_INFINITY;
  }

  /** Runs the sweep, unless it runs already. */
  start(): void {
    if (this.timer !== null) return;
    this.timer = this.#runInContext(() =>
      this.#clock.setTimer(() => this.#tick(), this.#tickMillis, { background: true }),
    );
  }

  /** Stops the sweep. */
  stop(): void {
    cancelTimer(this.#clock, this.timer);
    this.timer = null;
  }

  #tick(): void {
    this.timer = null;
    const now = this.#stock.refreshTime();
    this.#listener.ticked();
    this.#noteIdle(now);
    this.#ticks++;
    if (this.#ticks >= this.#ticksPerRun) {
      this.#ticks = 0;
      this.#run(now);
    }
    if (this.#stock.slots.size > 0) this.start();
  }

  #noteIdle(now: number): void {
    let slot = this.#stock.idle.last;
    for (; slot !== null && slot.idleSince === UNSEEN; slot = slot.previous) slot.idleSince = now;
  }

  #run(now: number): void {
    const { idle } = this.#stock;
    const due: Slot<T>[] = [];
    const overdue: Slot<T>[] = [];
    const tests = this.#settings.numTestsPerEvictionRun;
    for (const slot of idle) {
      if (due.length >= tests) break;
      if (this.#reasonToEvict(slot, now, due.length) !== undefined) due.push(slot);
      else if (this.#isOverdue(slot, now)) overdue.push(slot);
    }
    this.#evict(due, now);
    this.#keepAlive(mostOverdue(overdue, tests - due.length));
  }

  /** Evicts all of an unused pool, and at most half of the idle resources of a pool in use: not all leave at once. */
  #evict(due: readonly Slot<T>[], now: number): void {
    const { idle } = this.#stock;
    const { loans } = this.#counters;
    const isInUse = loans !== this.#loansAtLastRun;
    this.#loansAtLastRun = loans;
    let left = isInUse ? Math.ceil(idle.length / 2) : Number.POSITIVE_INFINITY;
    for (const slot of due) {
      if (left-- <= 0) return;
      // A destruction that ended at once may have lent the next slots.
      const reason = slot.state === 'idle' ? this.#reasonToEvict(slot, now, 0) : undefined;
      if (reason === undefined) continue;
      if (!this.#listener.mayLeave()) return;
      // The factory was perhaps asked for a replacement, and may have called the pool, which has lent the slot.
      if (slot.state === 'idle') this.#stock.evict(slot, reason);
    }
  }

  /** Validates a part of the idle resources at a time, so that the others can be lent meanwhile. */
  #keepAlive(overdue: Slot<T>[]): void {
    const most = Math.max(1, Math.floor(this.#stock.idle.length * KEEPALIVE_PART));
    // The shortest idle comes first, from the end: each is put back at the front, so the longest idle ends up first again.
    const next = (): void => {
      while (this.#keepalives < most) {
        const slot = overdue.pop();
        if (slot === undefined) return;
        if (slot.state !== 'idle') continue;
        this.#keepalives++;
        this.#listener.keepAlive(slot, () => {
          this.#keepalives--;
          next();
        });
      }
    };
    next();
  }

  #isOverdue(slot: Slot<T>, now: number): boolean {
    return now - lastSeen(slot) >= this.#settings.keepaliveMillis;
  }

  /** `leaving` says how many other idle resources are to be evicted. */
  #reasonToEvict(slot: Slot<T>, now: number, leaving: number): 'idle' | 'lifetime' | undefined {
    if (slot.expiresAt <= now) return 'lifetime';
    const idleMillis = now - slot.idleSince;
    if (idleMillis >= this.#settings.idleTimeoutMillis) return 'idle';
    const { softIdleTimeoutMillis, min } = this.#settings;
    return softIdleTimeoutMillis > 0 &&
      this.#stock.idle.length - leaving > min &&
      idleMillis >= softIdleTimeoutMillis
      ? 'idle'
      : undefined;
  }
}

/** When an idle slot was last used or validated. */
function lastSeen({ idleSince, validatedAt }: Slot<unknown>): number {
  return Math.max(idleSince, validatedAt);
}

/**
 * The `most` slots that were seen longest ago, in the order given. The longest idle ones alone would be overdue again before the turn of
 * the others.
 */
function mostOverdue<T>(overdue: Slot<T>[], most: number): Slot<T>[] {
  if (overdue.length <= most) return overdue;
  const chosen = new Set([...overdue].sort((a, b) => lastSeen(a) - lastSeen(b)).slice(0, most));
  return overdue.filter((slot) => chosen.has(slot));
}
