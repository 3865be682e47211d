/**
 * Chooses the loans of a component whose stacks are taken. A stack costs as much as a hundred loans, so a sample has to do:
 *
 * | loans | why |
 * |---|---|
 * | the first few | a component that leaks usually does so from the start |
 * | then one in so many, within a rate | a leak of long standing gets its line in time, at a bounded cost |
 * | the first ten in each second, outside of scopes | such a loan has neighbours by its line only |
 * | all for a while, after a leak without a line | the next loan that the same line loses names it |
 */
import { type LevelPlan, STACKS_AFTER_SITELESS_LEAK } from './level.js';
import { type LoanClock, PerSecondLimit } from './per-second-limit.js';

/** How many loans outside of scopes have their stacks taken in each second. */
const UNOWNED_PER_SECOND = 10;

/** What bounds the stacks of a level that takes each. */
export interface StackLimits {
  /** The maximum number of stacks in one second, after the first loans. */
  readonly stacksPerSecond: number;
  /** How many loans have their stacks taken at the start. */
  readonly firstStacks: number;
}

/** The sample of one component. */
export class StackSample {
  readonly #plan: LevelPlan;
  readonly #clock: LoanClock;
  readonly #mostInSecond: number;
  readonly #unownedLimit: PerSecondLimit;
  readonly #stackLimit: PerSecondLimit;
  readonly #first: number;
  /** Loans counted while the sample decided. */
  #loans = 0;
  /** How many of the next loans have their stacks taken in any case. */
  #unsampledLeft = 0;

  constructor(plan: LevelPlan, clock: LoanClock, limits: StackLimits) {
    this.#plan = plan;
    this.#clock = clock;
    this.#mostInSecond = Math.min(plan.stacksPerSecond, limits.stacksPerSecond);
    this.#unownedLimit = new PerSecondLimit(UNOWNED_PER_SECOND);
    this.#stackLimit = new PerSecondLimit(this.#mostInSecond);
    this.#first =
      plan.stackEvery === 1 ? Math.max(plan.stackFirst, limits.firstStacks) : plan.stackFirst;
  }

  /** Takes the stack of each of the next {@link STACKS_AFTER_SITELESS_LEAK} loans. */
  captureNextStacks(): void {
    this.#unsampledLeft = STACKS_AFTER_SITELESS_LEAK;
  }

  /** Counts the next loan. True if its stack is to be taken. `isOwned` says whether a scope or a value owns it. O(1). */
  sampleNext(isOwned: boolean): boolean {
    const { stackEvery } = this.#plan;
    if (stackEvery === 0) return false;
    if (this.#mostInSecond === Number.POSITIVE_INFINITY) return true;
    if (this.#unsampledLeft > 0) {
      this.#unsampledLeft--;
      return true;
    }
    const index = this.#loans++;
    const isEarly = index < this.#first;
    const isInSample = isEarly || index % stackEvery === 0;
    if (!isInSample && isOwned) return false;
    const now = this.#clock.loanTime();
    const isOfFirst = !isOwned && this.#unownedLimit.takeNext(now);
    return isEarly || ((isInSample || isOfFirst) && this.#stackLimit.takeNext(now));
  }
}
