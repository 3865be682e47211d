/**
 * A cheap answer to "is this time certainly still to come?". Reading the clock takes longer than the rest of a cache hit, so
 * hits read it about once a turn of the event loop, as lru-cache does (`ttlResolution`).
 *
 * ```
 *   read at              horizon
 *     ├────── 1 s ─────────┤ an end before the horizon: read the clock   │ beyond it: not reached yet
 *     │ turn ends: horizon = Infinity
 * ```
 *
 * The horizon lies a second ahead of the reading. So an old reading does no harm while the turn takes less than a second. In a
 * longer turn two rules limit the harm:
 *
 * - A user of the horizon asks for a reading at least every 16th time.
 * - After two readings in one turn that are far apart, the next use reads again.
 */
import { type Clock, systemClock, type TimerHandle } from './clock.js';

/** How far the horizon lies ahead of the reading, in milliseconds. */
const MARGIN_MILLIS = 1_000;
/** How far apart two readings in one turn may be, in milliseconds. */
const DENSE_MILLIS = 20;
/** When the timer for the end of the turn counts as lost, in milliseconds: a test may have replaced the platform's timers. */
const LOST_MILLIS = 1_000;

/** The horizon of one clock. */
export class CoarseClock {
  /** No time beyond this one has come yet. `Infinity` while that is not known. */
  horizon: number = Number.POSITIVE_INFINITY;
  readonly #clock: Clock;
  #turnEnd: TimerHandle | undefined = undefined;
  #turnBegan = 0;
  #readAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes a reading of the clock. */
  learn(now: number): void {
    const gap = now - this.#readAt;
    this.#readAt = now;
    const isSameTurn = this.#turnEnd !== undefined;
    if (!isSameTurn || gap < 0 || now - this.#turnBegan > LOST_MILLIS) this.#beginTurn(now);
    const isDense = !isSameTurn || (gap >= 0 && gap <= DENSE_MILLIS);
    this.horizon = isDense ? now + MARGIN_MILLIS : Number.POSITIVE_INFINITY;
  }

  #beginTurn(now: number): void {
    if (this.#turnEnd !== undefined) this.#clock.clearTimer(this.#turnEnd);
    this.#turnBegan = now;
    this.#turnEnd = this.#clock.setTimer(
      () => {
        this.#turnEnd = undefined;
        this.horizon = Number.POSITIVE_INFINITY;
      },
      1,
      { background: true },
    );
  }
}

/** The horizon of the system's clock, for all caches. */
export const coarseSystemClock: CoarseClock = /* @__PURE__ */ new CoarseClock(systemClock);
