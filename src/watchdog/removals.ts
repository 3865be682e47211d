/**
 * Removes nodes from the simulated heap in slices of the event loop's time. A cache of a million entries may be cleared at once, and a
 * watch over it may end. To remove their nodes in one turn would stop the process for a second.
 *
 * ```
 *   watch ends, cache is cleared ──▶ 64 steps, a slice ──▶ next turn: a slice ──▶ next turn: a slice ──▶ …
 * ```
 *
 * A removal is an iterator, and each of its steps removes a node at most. Removals run in the order of {@link Removals.add}.
 */
import { Deque } from '../core/deque.js';
import { runLater } from '../core/slices.js';
import type { RunningClock } from './running-clock.js';

/**
 * How many steps run at once in a turn, so that a small component has no nodes left, however slow the machine is. Code that V8 has not
 * compiled yet takes 40 µs for a step.
 */
const STEPS_AT_ONCE = 64;

export class Removals {
  readonly #clock: Pick<RunningClock, 'hasTimeLeft'>;
  readonly #waiting = new Deque<Iterator<unknown>>();
  readonly #continueLater: () => void = () => this.#continue();
  #stepsLeft = STEPS_AT_ONCE;
  #isRunning = false;
  #isContinued = false;

  constructor(clock: Pick<RunningClock, 'hasTimeLeft'>) {
    this.#clock = clock;
  }

  /** Runs the steps of a removal: the first ones now, unless others wait, and the rest in later turns. */
  add(removal: Iterator<unknown>): void {
    this.#waiting.push(removal);
    if (!this.#isRunning) this.#run(() => --this.#stepsLeft >= 0 || this.#clock.hasTimeLeft());
  }

  #continue(): void {
    this.#isContinued = false;
    this.#stepsLeft = STEPS_AT_ONCE;
    this.#run(() => this.#clock.hasTimeLeft());
  }

  #run(mayStep: () => boolean): void {
    this.#isRunning = true;
    try {
      for (let next = this.#waiting.first(); next !== undefined; next = this.#waiting.first()) {
        if (!mayStep()) break;
        if (next.next().done === true) this.#waiting.shift();
      }
    } finally {
      this.#isRunning = false;
      this.#runOnInNextTurn();
    }
  }

  #runOnInNextTurn(): void {
    if (this.#isContinued) return;
    if (this.#waiting.length === 0 && this.#stepsLeft === STEPS_AT_ONCE) return;
    this.#isContinued = true;
    runLater(this.#continueLater, undefined);
  }
}
