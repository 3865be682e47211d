/**
 * Loans that were found to be lost a moment ago. Many come back at once: a response that is sent after its scope, a release
 * in a `finally` around the scope. A leak is therefore told of when its loan has stayed out for the grace. While the process stands
 * still, no loan can come back. So a timer that is late by a stall is set once more.
 *
 * ```
 *   found ──▶ waits ──grace──▶ told
 *               └──▶ comes back: no listener hears of it
 * ```
 */
import type { Clock, TimerHandle } from '../core/clock.js';
import { graceAfter } from '../core/stall.js';
import type { LostLoan } from './leak-group.js';

/** The lost loans that wait, in the order in which they were found. */
export class Grace implements Iterable<LostLoan> {
  readonly millis: number;
  readonly #clock: Clock;
  readonly #tell: (due: readonly LostLoan[]) => void;
  readonly #waiting = new Set<LostLoan>();
  #timer: TimerHandle | undefined;

  /** `tell` is called for loans that have waited for `millis`: once for those whose wait ends at the same time. */
  constructor(millis: number, clock: Clock, tell: (due: readonly LostLoan[]) => void) {
    this.millis = millis;
    this.#clock = clock;
    this.#tell = tell;
  }

  [Symbol.iterator](): Iterator<LostLoan> {
    return this.#waiting.values();
  }

  /** Lets a loan wait from when it was found. Without effect if it waits already. O(1). */
  add(lost: LostLoan): void {
    this.#waiting.add(lost);
    if (this.#timer === undefined)
      this.#setTimer(Math.max(0, lost.foundAt + this.millis - this.#clock.now()));
  }

  /** Ends the wait of a loan. O(1). The timer stays: it ends by itself if no loan waits. */
  delete(lost: LostLoan): void {
    this.#waiting.delete(lost);
  }

  /** Stops the timer. */
  close(): void {
    this.#waiting.clear();
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #setTimer(millis: number, isAfterStall: boolean = false): void {
    const due = this.#clock.now() + millis;
    const run = (): void => {
      this.#timer = undefined;
      const grace = isAfterStall ? 0 : graceAfter(this.#clock.now() - due, this.millis);
      if (grace > 0) this.#setTimer(grace, true);
      else this.#tellDue();
    };
    this.#timer = this.#clock.setTimer(run, millis, { background: true });
  }

  #tellDue(): void {
    const now = this.#clock.now();
    const due: LostLoan[] = [];
    for (const lost of this.#waiting) {
      const restMillis = lost.foundAt + this.millis - now;
      if (restMillis > 0) {
        this.#setTimer(restMillis);
        break;
      }
      this.#waiting.delete(lost);
      due.push(lost);
    }
    this.#tell(due);
  }
}
