/** The grace after a timer that was late: the event loop was blocked, so nothing could end in time. */
import { expect, test } from 'vitest';
import type { Clock, TimerHandle } from '../../src/core/clock.js';
import { DeadlineTimer } from '../../src/core/deadline-timer.js';
import { graceAfter } from '../../src/core/stall.js';

/** A clock whose timers fire when the test says so, however late. */
class LateClock implements Clock {
  #time = 0;
  readonly #timers = new Map<
    TimerHandle,
    { readonly callback: () => void; readonly due: number }
  >();

  now(): number {
    return this.#time;
  }

  setTimer(callback: () => void, delayMillis: number): TimerHandle {
    const timer = {};
    this.#timers.set(timer, { callback, due: this.#time + delayMillis });
    return timer;
  }

  clearTimer(timer: TimerHandle): void {
    this.#timers.delete(timer);
  }

  /** Lets the timers fire that are due by then. */
  fireAt(time: number): void {
    this.#time = time;
    for (const [timer, { callback, due }] of [...this.#timers]) {
      if (due > time) continue;
      this.#timers.delete(timer);
      callback();
    }
  }
}

test.each([
  [50, 10_000, 0],
  [51, 10_000, 51],
  [5_000, 10_000, 1_000],
  [5_000, 200, 200],
])('a timer that is %i ms late gives work with %i ms a grace of %i ms', (late, limit, grace) => {
  expect(graceAfter(late, limit)).toBe(grace);
});

test('waits end after one grace, also if the event loop is blocked again meanwhile', () => {
  const clock = new LateClock();
  const ended: { readonly now: number; readonly stalledMillis: number }[] = [];
  const timer = new DeadlineTimer(
    clock,
    (body) => body(),
    (now, stalledMillis) => ended.push({ now, stalledMillis }),
  );
  timer.expect(100);
  clock.fireAt(1_000);
  expect(ended).toEqual([]);
  clock.fireAt(5_000);
  expect(ended).toEqual([{ now: 5_000, stalledMillis: 900 }]);
});
