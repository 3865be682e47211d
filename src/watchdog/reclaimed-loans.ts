/**
 * Loans that a forced close has taken back, by the ids under which their component reports their late end:
 *
 * | what happens afterwards | the loan |
 * |---|---|
 * | its holder ends it | is not lost; a loss that was told is retracted |
 * | V8 collects its capability | is lost for certain: its holder has not ended it, and can no longer do so |
 * | its scope ends, or nothing | stays as it was judged before the close: its resource is back |
 */
import type { NodeId } from '../core/probe.js';
import type { Loan } from './loan.js';

/** How many loans are kept before those that are settled are looked for. */
const MIN_FULL = 64;

export class ReclaimedLoans {
  readonly #byId = new Map<NodeId, Loan>();
  #full = MIN_FULL;

  /** Keeps a loan. O(1), amortized. */
  add(loan: Loan): void {
    this.#byId.set(loan.id, loan);
    if (this.#byId.size < this.#full) return;
    for (const [id, { isReclaimed }] of this.#byId) if (!isReclaimed) this.#byId.delete(id);
    this.#full = Math.max(MIN_FULL, 2 * this.#byId.size);
  }

  /** Removes and gives the loan with an id; `undefined` if there is none. O(1). */
  take(id: NodeId): Loan | undefined {
    const loan = this.#byId.get(id);
    this.#byId.delete(id);
    return loan;
  }

  /** Removes and gives all. */
  takeAll(): Loan[] {
    const loans = [...this.#byId.values()];
    this.#byId.clear();
    return loans;
  }
}
