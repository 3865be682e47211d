/**
 * Which loans of a component have their stacks taken: the first ones, since a component that leaks usually does so from the
 * start; then one in so many, and no more than some a second, since a stack costs as much as a hundred loans.
 */
import type { Clock } from '../core/clock.js';
import { ARMED_LOANS, type LevelPlan, STACKS_PER_SECOND } from './level.js';

export class StackSample {
  readonly #plan: LevelPlan;
  readonly #clock: Pick<Clock, 'now'>;
  #asked = 0;
  #armed = 0;
  #second = 0;
  #takenInSecond = 0;

  constructor(plan: LevelPlan, clock: Pick<Clock, 'now'>) {
    this.#plan = plan;
    this.#clock = clock;
  }

  /** Takes the stack of each of the next loans: one was lost whose line is not known. */
  arm(): void {
    this.#armed = ARMED_LOANS;
  }

  /** Whether the next loan is one of them. */
  wantsNext(): boolean {
    const { stackEvery, stackFirst } = this.#plan;
    if (stackEvery <= 1) return stackEvery === 1;
    if (this.#armed > 0) {
      this.#armed--;
      return true;
    }
    const asked = this.#asked++;
    return asked < stackFirst || (asked % stackEvery === 0 && this.#isWithinRate());
  }

  #isWithinRate(): boolean {
    const second = Math.floor(this.#clock.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#takenInSecond = 0;
    }
    return ++this.#takenInSecond <= STACKS_PER_SECOND;
  }
}
