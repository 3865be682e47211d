/**
 * Loans that a forced close has taken back. Their holders may still end them. If V8 collects the capability of such a loan first, its
 * holder has lost it.
 */
import type { NodeId } from '../core/probe.js';
import type { Loan } from './loan.js';

export class ReclaimedLoans {
  readonly #endedLate: (loan: Loan) => void;
  readonly #byId = new Map<NodeId, Loan>();

  /** `endedLate` is called when the holder of a loan has ended it after all, and when it no longer matters. */
  constructor(endedLate: (loan: Loan) => void) {
    this.#endedLate = endedLate;
  }

  /** Keeps a loan, and forgets those that were proved to be lost. */
  add(loan: Loan): void {
    for (const [id, { collected }] of this.#byId) if (collected) this.#byId.delete(id);
    this.#byId.set(loan.id, loan);
  }

  /** Forgets the loan with an id, which its holder has ended. False if there is none. */
  end(id: NodeId): boolean {
    const loan = this.#byId.get(id);
    if (loan === undefined) return false;
    this.#byId.delete(id);
    this.#endedLate(loan);
    return true;
  }

  /** Forgets all. */
  clear(): void {
    for (const id of [...this.#byId.keys()]) this.end(id);
  }
}
