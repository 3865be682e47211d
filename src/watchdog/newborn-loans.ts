/**
 * Loans that have just begun. Most end before anything else can happen, and then they leave no trace but in the counts: a
 * node in the heap and a registration with V8 would cost several times as much as the loan. A loan that is still out some
 * microtasks later, or when the heap is about to be looked at or collected, is settled: it gets both.
 *
 * Until then its capability is kept alive, which delays the proof that a loan was abandoned by less than a turn of the event
 * loop.
 */
import type { Clock } from '../core/clock.js';
import type { Loan } from './loan.js';

/** How many microtasks pass between one look and the next. A loan that does no more than end takes three. */
const MICROTASKS_PER_LOOK = 8;

/** So many at most are kept back, however long a run of microtasks goes on. */
const MOST = 1_024;

const UNKNOWN = -1;

const DONE: Promise<void> = Promise.resolve();

export class NewbornLoans {
  readonly #clock: Clock;
  readonly #settle: (loan: Loan) => void;
  readonly #nextMicrotask: () => void;
  /** Those that began since the last look, and those that have been looked at once. */
  #younger: Loan[] = [];
  #older: Loan[] = [];
  #microtasks = 0;
  #isCounting = false;
  /** The time of the current microtask, once it is known. */
  #time = UNKNOWN;

  /** `settle` is called for each loan that is still out when its time has come. */
  constructor(clock: Clock, settle: (loan: Loan) => void) {
    this.#clock = clock;
    this.#settle = settle;
    this.#nextMicrotask = () => {
      this.#time = UNKNOWN;
      if (++this.#microtasks === MICROTASKS_PER_LOOK) this.#look();
      if (this.#isCounting) void DONE.then(this.#nextMicrotask);
    };
  }

  /**
   * The time at which the loan begins that is added next. The clock, which costs half as much as a loan, is read once for
   * all that begin within the same few microtasks, so a loan may seem to have begun that much earlier.
   */
  beginning(): number {
    if (this.#time === UNKNOWN) this.#time = this.#clock.now();
    return this.#time;
  }

  add(loan: Loan): void {
    if (this.#younger.push(loan) >= MOST) this.#look();
    if (this.#isCounting) return;
    this.#isCounting = true;
    void DONE.then(this.#nextMicrotask);
  }

  /** Settles all that are still out, at once. */
  settleAll(): void {
    this.#settleOlder();
    this.#older = this.#younger;
    this.#younger = [];
    this.#settleOlder();
  }

  #look(): void {
    this.#microtasks = 0;
    this.#settleOlder();
    const none = this.#older;
    this.#older = this.#younger;
    this.#younger = none;
    this.#isCounting = this.#older.length > 0;
  }

  #settleOlder(): void {
    const loans = this.#older;
    if (loans.length === 0) return;
    this.#older = [];
    for (const loan of loans) if (!loan.ended) this.#settle(loan);
  }
}
