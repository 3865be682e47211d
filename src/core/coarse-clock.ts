/**
 * A cheap answer to "is this time certainly still to come?". Reading the clock takes longer than the rest of a cache hit, so a
 * burst of hits reads it seldom, as lru-cache does (`ttlResolution`).
 *
 * ```
 *   16 readings                horizon
 *     ├┼┼┼┼─────── 1 s ──────────┤ an end before the horizon: read the clock   │ beyond it: not reached yet
 *          │ turn ends: no horizon
 * ```
 *
 * There is a horizon only in a burst: after 16 readings in a row that are at most a millisecond apart, until the turn of the event loop
 * ends. Each cache has its own. It lies a second ahead. So an old reading does no harm unless the burst is followed by more than a
 * second of synchronous work in the same turn. A user of the horizon asks for a reading at least every 64th time, which ends the harm.
 */
import type { Clock, TimerHandle } from './clock.js';

/** How far the horizon lies ahead of the reading, in milliseconds. */
const MARGIN_MILLIS = 1_000;
/** How far apart two readings of a burst may be, in milliseconds. */
const DENSE_MILLIS = 1;
/** How many readings in a row make a burst. */
const BURST = 16;
/** When the timer for the end of the turn counts as lost, in milliseconds: a test may have replaced the platform's timers. */
const LOST_MILLIS = 1_000;

/** How long a tick is, in milliseconds. */
const TICK_MILLIS = 64;
/** The last tick, two years after the clock's zero. V8 stores an integer up to this size in a field, without an object. */
export const LAST_TICK: number = 2 ** 30 - 1;

/** The tick that has begun at a time, at most {@link LAST_TICK}. */
export function tickAt(time: number): number {
  if (time >= LAST_TICK * TICK_MILLIS) return LAST_TICK;
  return time > 0 ? (time / TICK_MILLIS) | 0 : -1;
}

/** What has a horizon. The object is the user's own, which saves a hit one memory access. */
export interface Horizon {
  /** No tick after this one has begun yet. {@link LAST_TICK} while that is not known. */
  horizon: number;
}

/** Sets the horizon of one cache. */
export class CoarseClock {
  readonly #target: Horizon;
  readonly #clock: Clock;
  #turnEnd: TimerHandle | undefined = undefined;
  #turnBegan = 0;
  #readAt = -Infinity;
  #readings = 0;

  constructor(clock: Clock, target: Horizon) {
    this.#clock = clock;
    this.#target = target;
  }

  /** Takes a reading of the clock. */
  learn(now: number): void {
    const gap = now - this.#readAt;
    this.#readAt = now;
    if (gap < 0 || gap > DENSE_MILLIS) this.#readings = 0;
    this.#readings++;
    if (this.#readings < BURST) {
      this.#target.horizon = LAST_TICK;
      return;
    }
    if (this.#turnEnd === undefined || now - this.#turnBegan > LOST_MILLIS) this.#beginTurn(now);
    this.#target.horizon = tickAt(now + MARGIN_MILLIS);
  }

  #beginTurn(now: number): void {
    if (this.#turnEnd !== undefined) this.#clock.clearTimer(this.#turnEnd);
    this.#turnBegan = now;
    const end = (): void => {
      this.#turnEnd = undefined;
      this.#readings = 0;
      this.#target.horizon = LAST_TICK;
    };
    this.#turnEnd = this.#clock.setTimer(end, 1, { background: true });
  }
}
