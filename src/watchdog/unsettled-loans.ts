/**
 * Loans that have begun and are not settled yet. A settled loan has a node in the simulated heap and is registered with V8.
 * Both cost several times as much as a loan that a pool lends and gets back. Most loans end within a few microtasks, when
 * nothing can have been collected and no scope can have ended. They need neither.
 *
 * ```
 *   add ──▶ younger ──8 microtasks──▶ older ──8 microtasks──▶ settle      if the loan is still out
 * ```
 *
 * {@link UnsettledLoans.settleAll} does so at once: before the heap is looked at or collected, and before a scope ends.
 *
 * The loan's record keeps the capability alive until it is settled. This delays the proof that the loan is abandoned by
 * less than a turn of the event loop.
 */
import type { Clock } from '../core/clock.js';
import type { Loan } from './loan.js';

/** How many microtasks a loan stays in each of the two lists. A loan that is only taken and released lasts three. */
const MICROTASKS_PER_ROUND = 8;

/** At this length of the younger list the older loans are settled, however few microtasks have passed. */
const MAX_YOUNGER = 1_024;

const TIME_UNKNOWN = -1;

const RESOLVED: Promise<void> = Promise.resolve();

export class UnsettledLoans {
  readonly #clock: Clock;
  readonly #settle: (loan: Loan) => void;
  readonly #nextMicrotask: () => void;
  /** Loans that began in this round. */
  #younger: Loan[] = [];
  /** Loans that began in the round before. */
  #older: Loan[] = [];
  #microtasks = 0;
  #isCounting = false;
  /** The clock's last reading, until the next microtask of the count. */
  #currentTime = TIME_UNKNOWN;

  /** `settle` is called for each loan that is still out after two rounds. */
  constructor(clock: Clock, settle: (loan: Loan) => void) {
    this.#clock = clock;
    this.#settle = settle;
    this.#nextMicrotask = () => {
      this.#currentTime = TIME_UNKNOWN;
      if (++this.#microtasks === MICROTASKS_PER_ROUND) this.#startRound();
      if (this.#isCounting) void RESOLVED.then(this.#nextMicrotask);
    };
  }

  /**
   * The start time of the loan that is added next, in milliseconds. A reading of the clock costs half as much as a loan.
   * Loans that begin within the same few microtasks therefore share one. A loan may seem to have begun that much too early.
   */
  nextLentAt(): number {
    if (this.#currentTime === TIME_UNKNOWN) this.#currentTime = this.#clock.now();
    return this.#currentTime;
  }

  /** Adds a loan that has just begun. */
  add(loan: Loan): void {
    if (this.#younger.push(loan) >= MAX_YOUNGER) this.#startRound();
    if (this.#isCounting) return;
    this.#isCounting = true;
    void RESOLVED.then(this.#nextMicrotask);
  }

  /** Settles every loan that is still out. O(loans that began in the last two rounds). */
  settleAll(): void {
    this.#settleOlder();
    this.#older = this.#younger;
    this.#younger = [];
    this.#settleOlder();
  }

  /** Settles the older loans; the younger ones become the older. */
  #startRound(): void {
    this.#microtasks = 0;
    this.#settleOlder();
    const empty = this.#older;
    this.#older = this.#younger;
    this.#younger = empty;
    this.#isCounting = this.#older.length > 0;
  }

  #settleOlder(): void {
    const loans = this.#older;
    if (loans.length === 0) return;
    this.#older = [];
    for (const loan of loans) if (!loan.ended) this.#settle(loan);
  }
}
