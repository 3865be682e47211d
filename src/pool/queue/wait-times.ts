/** Counts the callers that wait, and measures how long some of them do. */
import type { PoolCounters } from '../pool-counters.js';

/** Every wait is timed until this many began; then one in this many. A power of two. */
const WAITS_PER_SAMPLE = 64;

/** A clock that keeps the time it read last. */
export interface CachedClock {
  /** Reads the clock and keeps the time, in milliseconds. */
  refreshTime(): number;
}

/** The wait times of one pool's callers. */
export class WaitTimes {
  readonly #counters: PoolCounters;
  readonly #clock: CachedClock;
  /** The sampling mask: a wait is timed when `count & mask` is 0. */
  #mask = 0;
  #timesAll = false;

  constructor(counters: PoolCounters, clock: CachedClock) {
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Whether every wait is timed from now on. */
  timeAll(all: boolean): void {
    this.#mask = all || this.#counters.waited < WAITS_PER_SAMPLE ? 0 : WAITS_PER_SAMPLE - 1;
    this.#timesAll = all;
  }

  /** Counts a waiter. Returns when it came, in milliseconds, if its wait is timed. */
  begin(): number | null {
    return (++this.#counters.waited & this.#mask) === 0 ? this.#readClock() : null;
  }

  /** Records the wait time of a waiter that came at `since` and got a resource now. */
  end(since: number): void {
    this.#counters.waits.record(this.#clock.refreshTime() - since);
  }

  #readClock(): number {
    if (this.#counters.waited === WAITS_PER_SAMPLE) this.timeAll(this.#timesAll);
    return this.#clock.refreshTime();
  }
}
