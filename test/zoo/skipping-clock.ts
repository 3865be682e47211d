/** A clock of real time that a program can move on. The timers that become due meanwhile fire in order. */
import type { Clock, TimerHandle } from '../../src/core/clock.js';
import { nextTurn } from '../../src/core/host-timers.js';

interface Timer {
  readonly due: number;
  fire(): void;
  handle: ReturnType<typeof setTimeout> | undefined;
}

const LONGEST_TIMER = 2 ** 31 - 1;

export class SkippingClock implements Clock {
  #skipped = 0;
  readonly #timers = new Set<Timer>();

  now(): number {
    return Math.floor(performance.now()) + this.#skipped;
  }

  setTimer(callback: () => void, millis: number): TimerHandle {
    const timer: Timer = {
      due: this.now() + millis,
      fire: () => {
        if (!this.#timers.delete(timer)) return;
        clearTimeout(timer.handle);
        callback();
      },
      handle: undefined,
    };
    timer.handle = setTimeout(timer.fire, Math.min(millis, LONGEST_TIMER));
    timer.handle.unref();
    this.#timers.add(timer);
    return timer as never;
  }

  clearTimer(handle: TimerHandle): void {
    const timer = handle as never as Timer;
    if (this.#timers.delete(timer)) clearTimeout(timer.handle);
  }

  /** Lets time pass. */
  async skip(millis: number): Promise<void> {
    const end = this.now() + millis;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.due <= end);
      const [next] = due.sort((a, b) => a.due - b.due);
      if (next === undefined) break;
      this.#skipped += Math.max(0, next.due - this.now());
      next.fire();
      await nextTurn();
    }
    this.#skipped += Math.max(0, end - this.now());
  }
}
