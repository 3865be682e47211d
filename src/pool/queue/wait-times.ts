/** How many callers had to wait, and how long: of the first ones, and then of one in so many. */

import type { PoolCounters } from '../pool-counters.js';

/** One wait in so many, a power of two, has its time taken; until then each does. */
const WAITS_PER_SAMPLE = 64;

/** A clock that other parts of the pool read later without asking the host. */
export interface CoarseClock {
  /** Reads the clock, and keeps the time, in milliseconds. */
  refreshTime(): number;
}

/** The times of one pool's callers. */
export class WaitTimes {
  readonly #counters: PoolCounters;
  readonly #clock: CoarseClock;
  /** Which bits of the number of a wait are 0 if its time is taken. */
  #mask = 0;

  constructor(counters: PoolCounters, clock: CoarseClock) {
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Counts a caller; returns when it came, if its time is taken. */
  begin(): number | null {
    return (++this.#counters.waited & this.#mask) === 0 ? this.#take() : null;
  }

  /** The one who came then was served. */
  end(since: number): void {
    this.#counters.waits.record(this.#clock.refreshTime() - since);
  }

  #take(): number {
    if (this.#counters.waited === WAITS_PER_SAMPLE) this.#mask = WAITS_PER_SAMPLE - 1;
    return this.#clock.refreshTime();
  }
}
