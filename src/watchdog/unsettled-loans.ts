/**
 * Loans that have begun and are not settled yet. A settled loan has a node in the simulated heap and is watched by V8. Both
 * cost several times as much as a loan that a pool lends and gets back. Most loans end within a tenth of a second, and while
 * their scope runs. They need neither.
 *
 * ```
 *   add ──▶ list, oldest first ──100 to 200 ms──▶ settle      if the loan is still out
 *                  └──▶ ended: removed, without a trace
 * ```
 *
 * {@link UnsettledLoans.settleAll} settles at once: before the heap is looked at or collected. The timer also settles the loans that an
 * ended scope has left behind.
 *
 * The record of a loan keeps the capability alive until {@link UnsettledLoans.releaseCapabilities}, which the timer calls, too.
 * This delays the proof that the loan is abandoned by at most 200 ms. A loan that comes back just after its scope thus needs no
 * WeakRef, which would cost as much as its node.
 */
import type { Clock, TimerHandle } from '../core/clock.js';
import { LinkedList } from '../core/linked-list.js';
import type { LifetimeNode } from './lifetime-graph.js';
import type { Loan } from './loan.js';

/** The age at which a loan is settled, in milliseconds. */
const SETTLE_AGE_MILLIS = 100;

/** How many loans are looked at to learn that none concerns a node. Settling more costs more than looking. */
const MAX_LOOKED_AT = 64;

/** How many settled loans may hold their capabilities. */
const MAX_CAPABILITIES = 1_024;

export class UnsettledLoans {
  readonly #clock: Clock;
  readonly #settle: (loan: Loan) => void;
  readonly #asksV8: boolean;
  readonly #beforeTimer: () => void;
  readonly #loans = new LinkedList<Loan>();
  /** Settled loans that still hold their capabilities. */
  #withCapability: Loan[] = [];
  #timer: TimerHandle | undefined;
  #isClosed = false;

  /**
   * `beforeTimer` is called before the loans that are old enough are settled, and `settle` for each of them. `asksV8` says that V8 tells
   * of dead capabilities.
   */
  constructor(
    clock: Clock,
    asksV8: boolean,
    beforeTimer: () => void,
    settle: (loan: Loan) => void,
  ) {
    this.#clock = clock;
    this.#beforeTimer = beforeTimer;
    this.#asksV8 = asksV8;
    this.#settle = (loan) => {
      settle(loan);
      if (!loan.ended && loan.hasCapability) this.#keepCapability(loan);
    };
  }

  /** Adds a loan that has just begun. O(1). */
  add(loan: Loan): void {
    this.#loans.append(loan);
    if (this.#timer === undefined) this.#setTimer();
  }

  /** Removes a loan that ends before it is settled. O(1). */
  remove(loan: Loan): void {
    this.#loans.remove(loan);
  }

  /** Whether a loan may be under a node, or hold it. O(1): it may, if there are many loans. */
  mayConcern(node: LifetimeNode): boolean {
    if (this.#loans.length > MAX_LOOKED_AT) return true;
    for (let loan = this.#loans.first; loan !== null; loan = loan.next) {
      if (loan.held === node || loan.origin.owner === node) return true;
    }
    return false;
  }

  /** Settles every loan. O(unsettled loans). */
  settleAll(): void {
    for (let loan = this.#loans.shift(); loan !== null; loan = this.#loans.shift()) {
      this.#settle(loan);
    }
  }

  /** Settles the loans that began at `time` or before. O(1), and O(1) for each of them. */
  settleUntil(time: number): void {
    for (let { first } = this.#loans; first !== null && first.lentAt <= time; ) {
      this.#loans.remove(first);
      this.#settle(first);
      first = this.#loans.first;
    }
  }

  /** Settles the loans of scopes that are ending: `left` in number. O(unsettled loans). */
  settleOfEnding(left: number): void {
    for (let loan = this.#loans.first; loan !== null && left > 0; ) {
      const { next } = loan;
      if (loan.origin.scope?.isEnding === true) {
        left--;
        this.#loans.remove(loan);
        this.#settle(loan);
      }
      loan = next;
    }
  }

  /** Keeps the capabilities of settled loans no longer. Call it before V8's collector runs. O(loans settled since). */
  releaseCapabilities(): void {
    if (this.#withCapability.length === 0) return;
    for (const loan of this.#withCapability) loan.releaseCapability(this.#asksV8);
    this.#withCapability = [];
  }

  /** Stops the timer. */
  close(): void {
    this.#isClosed = true;
    this.releaseCapabilities();
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #keepCapability(loan: Loan): void {
    if (this.#withCapability.push(loan) >= MAX_CAPABILITIES) this.releaseCapabilities();
    if (this.#timer === undefined) this.#setTimer();
  }

  #setTimer(): void {
    if (this.#isClosed) return;
    const run = (): void => this.#settleOld();
    this.#timer = this.#clock.setTimer(run, SETTLE_AGE_MILLIS, { background: true });
  }

  #settleOld(): void {
    this.#beforeTimer();
    this.settleUntil(this.#clock.now() - SETTLE_AGE_MILLIS);
    this.releaseCapabilities();
    this.#timer = undefined;
    if (this.#loans.length > 0) this.#setTimer();
  }
}
