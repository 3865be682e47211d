/** A timer that repeats. It never keeps the process alive. */
import type { Clock, TimerHandle } from '../core/clock.js';

/** A repeating timer, stopped at first. */
export class RepeatingTimer {
  readonly #clock: Clock;
  readonly #intervalMillis: number;
  readonly #run: () => void;
  #timer: TimerHandle | undefined;

  /** `run` is called every `intervalMillis` between {@link start} and {@link stop}. */
  constructor(clock: Clock, intervalMillis: number, run: () => void) {
    this.#clock = clock;
    this.#intervalMillis = intervalMillis;
    this.#run = run;
  }

  /** Starts the timer. Without effect if it runs. */
  start(): void {
    if (this.#timer === undefined) this.#setTimer();
  }

  /** Stops the timer. Without effect if it does not run. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #setTimer(): void {
    const run = (): void => {
      this.#setTimer();
      this.#run();
    };
    this.#timer = this.#clock.setTimer(run, this.#intervalMillis, { background: true });
  }
}
