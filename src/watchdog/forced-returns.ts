/**
 * The loans that a component has taken back by force, and whose holders may still end them. Such a loan stays lost, unless its holder
 * ends it after all. The rules judge it on, as long as it is kept here.
 *
 * ```
 *   taken back ──▶ kept ──holder ends it──▶ returned
 *                    └──V8 collects its lease, or too many are kept──▶ lost for ever
 * ```
 */
import type { LeakLedger } from './leak-ledger.js';
import type { LifetimeGraph } from './lifetime-graph.js';
import type { Loan } from './loan.js';
import type { SettledLoans } from './settled-loans.js';

/** How many loans that a forced close has taken back are judged on. */
const MAX_RECLAIMED = 10_000;

export class ForcedReturns {
  readonly #graph: LifetimeGraph;
  readonly #ledger: LeakLedger;
  readonly #settled: SettledLoans;
  readonly #asksV8: boolean;
  readonly #loans = new Set<Loan>();

  /** `asksV8` says that V8 tells of dead capabilities. */
  constructor(graph: LifetimeGraph, ledger: LeakLedger, settled: SettledLoans, asksV8: boolean) {
    this.#graph = graph;
    this.#ledger = ledger;
    this.#settled = settled;
    this.#asksV8 = asksV8;
  }

  /** Keeps a settled loan that its component has taken back by force. */
  add(loan: Loan): void {
    loan.reclaim(this.#asksV8);
    this.#graph.removeOwner(loan);
    this.#loans.add(loan);
    const [oldest] = this.#loans;
    if (this.#loans.size > MAX_RECLAIMED && oldest !== undefined) this.conclude(oldest);
  }

  /** The holder of a loan has ended it after all. */
  endedLate(loan: Loan): void {
    if (!loan.isReclaimed) return;
    this.#forget(loan);
    this.#ledger.retract(loan);
  }

  /** Judges a loan no more: it stays lost, if it is. */
  conclude(loan: Loan): void {
    if (!loan.isReclaimed) return;
    this.#forget(loan);
    this.#ledger.reclaimed(loan);
  }

  #forget(loan: Loan): void {
    this.#loans.delete(loan);
    this.#settled.remove(loan);
    loan.end();
  }
}
