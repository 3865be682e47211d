/** How much of a step's budget is left. The clock is asked now and then only: it costs more than looking at a node. */
import type { Clock } from '../../core/clock.js';
import type { StepBudget } from '../collector.js';

const OBJECTS_PER_CLOCK_READ = 128;

export class WorkMeter {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #endsAt: number;
  #objects: number;
  #untilClockRead = OBJECTS_PER_CLOCK_READ;

  constructor(clock: Pick<Clock, 'now'>, budget: StepBudget) {
    const { objects = Number.POSITIVE_INFINITY, millis = Number.POSITIVE_INFINITY } = budget;
    this.#clock = clock;
    this.#objects = objects;
    this.#endsAt = millis === Number.POSITIVE_INFINITY ? millis : clock.now() + millis;
  }

  /** Takes one object's worth of work from what is left; false if nothing was left. */
  spend(): boolean {
    if (this.#objects <= 0) return false;
    this.#objects--;
    if (--this.#untilClockRead > 0) return true;
    this.#untilClockRead = OBJECTS_PER_CLOCK_READ;
    if (this.#endsAt !== Number.POSITIVE_INFINITY && this.#clock.now() >= this.#endsAt) {
      this.#objects = 0;
    }
    return true;
  }
}
