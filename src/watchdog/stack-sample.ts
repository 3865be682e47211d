/**
 * Chooses the loans of a component whose stacks are taken. A stack costs as much as a hundred loans, so a sample has to do:
 *
 * | loans | why |
 * |---|---|
 * | the first few | a component that leaks usually does so from the start |
 * | then one in so many, within a rate | a leak of long standing gets its line in time, at a bounded cost |
 * | all for a while, after a leak without a line | the next loan that the same line loses names it |
 */
import type { Clock } from '../core/clock.js';
import { type LevelPlan, STACKS_AFTER_SITELESS_LEAK } from './level.js';

/** The sample of one component. */
export class StackSample {
  readonly #plan: LevelPlan;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #mostInSecond: number;
  /** Loans counted while the sample decided. */
  #loans = 0;
  /** How many of the next loans have their stacks taken in any case. */
  #unsampledLeft = 0;
  #second = 0;
  #takenInSecond = 0;

  /** `mostInSecond` bounds the stacks of the plan. */
  constructor(plan: LevelPlan, clock: Pick<Clock, 'now'>, mostInSecond: number) {
    this.#plan = plan;
    this.#clock = clock;
    this.#mostInSecond = Math.min(plan.stacksPerSecond, mostInSecond);
  }

  /** Takes the stack of each of the next {@link STACKS_AFTER_SITELESS_LEAK} loans. */
  captureNextStacks(): void {
    this.#unsampledLeft = STACKS_AFTER_SITELESS_LEAK;
  }

  /** Counts the next loan. True if its stack is to be taken. O(1). */
  sampleNext(): boolean {
    const { stackEvery, stackFirst } = this.#plan;
    if (stackEvery === 0) return false;
    if (this.#mostInSecond === Number.POSITIVE_INFINITY) return true;
    if (this.#unsampledLeft > 0) {
      this.#unsampledLeft--;
      return true;
    }
    const index = this.#loans++;
    return index < stackFirst || (index % stackEvery === 0 && this.#isWithinRate());
  }

  #isWithinRate(): boolean {
    const second = Math.floor(this.#clock.now() / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#takenInSecond = 0;
    }
    return ++this.#takenInSecond <= this.#mostInSecond;
  }
}
