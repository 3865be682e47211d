/** A clock that a test moves by hand. Timers fire in the order of their deadlines, and only when the test moves time on. */
import type { Clock, TimerHandle } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import { checkArgument, numberAtLeast, type OptionCheck } from '../core/options.js';
import { settle } from './settle.js';

const aFiniteNumber: OptionCheck = (value) =>
  Number.isFinite(value) ? undefined : 'a finite number of milliseconds';

const aFiniteDuration: OptionCheck = (value) =>
  Number.isFinite(value) && Number(value) >= 0 ? undefined : 'a finite number of milliseconds ≥ 0';

interface FakeTimer {
  readonly deadline: number;
  readonly order: number;
  readonly background: boolean;
  readonly callback: () => void;
}

/**
 * A clock that a test moves by hand. Give it to a pool, a cache or a watchdog as the option `clock`: no test has to wait.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { FakeClock } from 'tenure/testing';
 *
 * const clock = new FakeClock();
 * await using pool = createPool(
 *   { create: () => ({}), destroy: () => {} },
 *   { max: 1, acquireTimeoutMillis: 30_000, clock },
 * );
 * await using lease = await pool.lease();
 * const refused = pool.lease().catch((error) => error.code);
 * await clock.advance(30_000);
 * await refused; // => 'TENURE_POOL_ACQUIRE_TIMEOUT'
 * ```
 */
export class FakeClock implements Clock {
  #now: number;
  #set = 0;
  readonly #timers = new Set<FakeTimer>();

  /**
   * Starts at `now`, in milliseconds.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a start that is no number.
   */
  constructor(now: number = 1_000) {
    checkArgument('new FakeClock', 'now', now, numberAtLeast(0));
    this.#now = now;
  }

  /** The time, in milliseconds. */
  now(): number {
    return this.#now;
  }

  /** Sets a timer. It fires when {@link advance} reaches its deadline. */
  setTimer(
    callback: () => void,
    delayMillis: number,
    options?: { readonly background?: boolean },
  ): TimerHandle {
    if (!(delayMillis >= 0)) {
      throw new InvalidArgumentError(
        `FakeClock: a timer was set for ${delayMillis} ms; a delay is a number of milliseconds ≥ 0.`,
      );
    }
    const timer: FakeTimer = {
      deadline: this.#now + delayMillis,
      order: this.#set++,
      background: options?.background === true,
      callback,
    };
    this.#timers.add(timer);
    return timer;
  }

  /** Cancels a timer. Without effect if it has fired or was cancelled. */
  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer as FakeTimer);
  }

  /** How many timers are set and have not fired. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** How many of them would keep the process alive. */
  get foregroundTimers(): number {
    return [...this.#timers].filter((timer) => !timer.background).length;
  }

  /**
   * Moves time on. Each due timer fires at its own deadline, and the promises that it starts settle before the next one.
   * Rejects with what a timer's callback throws.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a time that is no finite number ≥ 0: a timer that is set again
   * each time would have no last one.
   */
  async advance(byMillis: number): Promise<void> {
    checkArgument('clock.advance', 'byMillis', byMillis, aFiniteDuration);
    const target = this.#now + byMillis;
    await settle();
    for (let timer = this.#due(target); timer !== undefined; timer = this.#due(target)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.deadline);
      timer.callback();
      await settle();
    }
    this.#now = Math.max(this.#now, target); // A timer's callback, or another advance, may have moved it further.
  }

  /**
   * Moves time on without firing timers, as when a process was suspended or a coarse clock jumps. A time below 0 moves it back.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a time that is no finite number.
   */
  jump(byMillis: number): void {
    checkArgument('clock.jump', 'byMillis', byMillis, aFiniteNumber);
    this.#now += byMillis;
  }

  #due(target: number): FakeTimer | undefined {
    return [...this.#timers]
      .filter((timer) => timer.deadline <= target)
      .sort((a, b) => a.deadline - b.deadline || a.order - b.order)[0];
  }
}
