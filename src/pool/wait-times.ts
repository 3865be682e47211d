/** How many callers had to wait, and how long: of the first ones, and then of one in so many. */
import type { Stock } from './stock.js';
import type { Tally } from './tally.js';

/** One wait in so many, a power of two, has its time taken; until then each does. */
const WAITS_PER_SAMPLE = 64;

/** The times of one pool's callers. */
export class WaitTimes {
  readonly #tally: Tally;
  readonly #stock: Stock<unknown>;
  /** Which bits of the number of a wait are 0 if its time is taken. */
  #mask = 0;

  constructor(tally: Tally, stock: Stock<unknown>) {
    this.#tally = tally;
    this.#stock = stock;
  }

  /** Counts a caller; returns when it came, if its time is taken. */
  begin(): number | null {
    return (++this.#tally.waited & this.#mask) === 0 ? this.#take() : null;
  }

  /** The one who came then was served. */
  end(since: number): void {
    this.#tally.waits.record(this.#stock.refreshTime() - since);
  }

  #take(): number {
    if (this.#tally.waited === WAITS_PER_SAMPLE) this.#mask = WAITS_PER_SAMPLE - 1;
    return this.#stock.refreshTime();
  }
}
