/**
 * Measures the rest of a step's budget. Reads the clock only for every 128th object, since a reading costs more than
 * visiting a node.
 */
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

  /** Takes one object from the budget. Returns false if the budget was used up before. */
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
