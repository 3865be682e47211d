/** A clock that a test moves by hand. Timers fire in the order of their deadlines, and only when the test moves time on. */
import type { Clock, TimerHandle } from '../../src/core/clock.js';
import { settle } from './settle.js';

interface FakeTimer {
  readonly deadline: number;
  readonly order: number;
  readonly background: boolean;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  #set = 0;
  readonly #timers = new Set<FakeTimer>();

  constructor(now = 1_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimer(
    callback: () => void,
    delayMillis: number,
    options?: { readonly background?: boolean },
  ): TimerHandle {
    if (!(delayMillis >= 0)) throw new RangeError(`a timer was set for ${delayMillis} ms`);
    const timer: FakeTimer = {
      deadline: this.#now + delayMillis,
      order: this.#set++,
      background: options?.background === true,
      callback,
    };
    this.#timers.add(timer);
    return timer;
  }

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

  /** Moves time on. Each due timer fires at its own deadline, and the promises that it starts settle before the next one. */
  async advance(millis: number): Promise<void> {
    const target = this.#now + millis;
    await settle();
    for (let timer = this.#due(target); timer !== undefined; timer = this.#due(target)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.deadline);
      timer.callback();
      await settle();
    }
    this.#now = target;
  }

  /** Moves time on without firing timers, as when a process was suspended or a coarse clock jumps. */
  jump(millis: number): void {
    this.#now += millis;
  }

  #due(target: number): FakeTimer | undefined {
    return [...this.#timers]
      .filter((timer) => timer.deadline <= target)
      .sort((a, b) => a.deadline - b.deadline || a.order - b.order)[0];
  }
}
