/**
 * The settled loans that are out, and the rounds in which the rules judge them. A round takes slices of the time, so that a hundred
 * thousand loans do not stop the process.
 *
 * ```
 *   sweep ───────────────────────────────┐
 *   V8 collects ─────────────────────────┴──▶ round: judge, judge, …
 * ```
 *
 * Each loan holds its capability by a WeakRef. A registration with a FinalizationRegistry takes three times as much
 * memory, and a loan that comes back has to cancel it. To dereference a WeakRef takes longer than all rules, so it is not done while V8 has
 * collected nothing.
 */
import { LinkedList } from '../core/linked-list.js';
import { runLater } from '../core/slices.js';
import type { Loan } from './loan.js';
import type { RunningClock } from './running-clock.js';

/** After a round, no collection of V8 starts one for this many times as long: rounds take at most one per cent of the time. */
const REST = 100;

/** A round that takes less does not count as long, in milliseconds. */
const SHORT_ROUND_MILLIS = 1;

export class SettledLoans {
  /** False while loans are judged although V8 has collected nothing since all of them were looked at. */
  mayBeCollected = true;
  readonly #clock: RunningClock;
  readonly #judge: (loan: Loan) => void;
  readonly #loans = new LinkedList<Loan>();
  readonly #continueRound: () => void = () => this.#continue();
  /** The next loan of the round; `null` between rounds. */
  #next: Loan | null = null;
  #isInRound = false;
  /** Whether the round looks for capabilities that V8 has collected. */
  #roundAsksV8 = false;
  /** An object that dies in V8's next full collection. */
  #dying: WeakRef<object> = dyingObject();
  /** How long the slices of the round took, in milliseconds. */
  #roundMillis = 0;
  #restUntil = 0;

  /** `judge` is called for each loan in each round. */
  constructor(clock: RunningClock, judge: (loan: Loan) => void) {
    this.#clock = clock;
    this.#judge = judge;
  }

  /** The loan that was settled first; `null` if none is out. */
  get first(): Loan | null {
    return this.#loans.first;
  }

  /** Adds a loan that has been settled. O(1). */
  add(loan: Loan): void {
    this.#loans.append(loan);
  }

  /** Removes a settled loan that has ended. O(1). */
  remove(loan: Loan): void {
    if (this.#next === loan) this.#next = loan.next;
    this.#loans.remove(loan);
  }

  /** Has each loan judged now. O(loans). */
  judgeAll(): void {
    const asksV8 = this.#roundAsksV8 || this.#hasCollected();
    this.#judging(asksV8, () => {
      for (const loan of this.#loans) this.#judge(loan);
    });
  }

  /** Has each loan judged, in slices, unless a round is running. */
  judgeInSlices(): void {
    if (!this.#isInRound) this.#beginRound(this.#hasCollected());
  }

  /** V8 has run a full collection: has each loan judged in slices, unless the last round was long and has ended just now. */
  judgeAfterCollection(): void {
    if (!this.#isInRound && performance.now() >= this.#restUntil) this.#beginRound(true);
  }

  /** Whether V8 has collected since the last call. O(1). */
  #hasCollected(): boolean {
    if (this.#dying.deref() !== undefined) return false;
    this.#dying = dyingObject();
    return true;
  }

  #beginRound(asksV8: boolean): void {
    this.#isInRound = true;
    this.#roundAsksV8 = asksV8;
    this.#roundMillis = 0;
    this.#next = this.#loans.first;
    this.#continue();
  }

  #continue(): void {
    const began = performance.now();
    this.#judging(this.#roundAsksV8, () => {
      while (this.#next !== null && this.#clock.hasTimeLeft()) {
        const loan = this.#next;
        this.#next = loan.next;
        this.#judge(loan);
      }
    });
    const now = performance.now();
    this.#roundMillis += now - began;
    if (this.#next !== null) runLater(this.#continueRound, undefined);
    else this.#endRound(now);
  }

  /** Calls `judge`, which may call listeners that have all loans judged within it. */
  #judging(asksV8: boolean, judge: () => void): void {
    const before = this.mayBeCollected;
    this.mayBeCollected = asksV8;
    try {
      judge();
    } finally {
      this.mayBeCollected = before;
    }
  }

  #endRound(now: number): void {
    this.#isInRound = false;
    this.#roundAsksV8 = false;
    if (this.#roundMillis > SHORT_ROUND_MILLIS) this.#restUntil = now + REST * this.#roundMillis;
  }
}

/** Makes an object that nothing holds, in a call of its own: V8 may keep what a running function has made. */
function dyingObject(): WeakRef<object> {
  return new WeakRef({});
}
