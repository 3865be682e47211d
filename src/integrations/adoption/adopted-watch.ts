/**
 * Reports an adopted pool's loans to its observer, and what the peer's own loans show besides: resources that other users have
 * taken from the peer directly, and resources that were given back to it past their lease.
 */
import { isToldOfPeer } from '../../core/adopted-peers.js';
import { IN_USE } from '../../core/connection-use.js';
import type { LoanCounts, NodeId, Observer } from '../../core/probe.js';
import { LoanWatch, type WatchedLoans } from '../../pool/loan/loan-watch.js';
import type { Slot } from '../../pool/loan/slot.js';
import {
  type DirectLoanReport,
  DirectLoans,
  type DirectLoansListener,
  type LookedAtPeer,
} from './direct-loans.js';
import type { PeerPool } from './peer-pool.js';

/** The watch over one adopted pool. */
export class AdoptedWatch<T> extends LoanWatch<T> implements DirectLoansListener<T> {
  readonly #peer: object;
  readonly #directLoans: DirectLoans<T>;
  /** The slots of loans whose resources were given back past their leases, and the numbers of these loans. */
  readonly #givenBack = new Map<Slot<T>, number>();

  constructor(
    pool: WatchedLoans<T> & { readonly isInUse: (resource: T) => boolean },
    peer: Pick<PeerPool<T>, 'pool'> & LookedAtPeer<T>,
    observer: Observer,
  ) {
    super(pool, observer);
    this.#peer = peer.pool;
    this.#directLoans = new DirectLoans(pool.stock.slots, peer, pool.isInUse, this);
  }

  /** Gives the figures of the pool, how many resources were taken from the peer directly, and how many have come back to it. */
  override stats(): Readonly<Record<string, number>> {
    const { count, returns } = this.#directLoans;
    return { ...super.stats(), takenDirectly: count, returns };
  }

  /** A resource that was given back past its lease is not out, though the lease has not ended. */
  override loanCounts(): LoanCounts {
    for (const [slot, loan] of this.#givenBack) {
      if (slot.loan !== loan) this.#givenBack.delete(slot);
    }
    const counts = super.loanCounts();
    return { ...counts, out: counts.out - this.#givenBack.size };
  }

  /** Compares the loans with those of the peer, and tells which are in use. O(resources). */
  override look(): void {
    this.#directLoans.compare();
    this.lookAtUse();
  }

  protected override isOut(slot: Slot<T>): boolean {
    return super.isOut(slot) && this.#givenBack.get(slot) !== slot.loan;
  }

  isToldOf(resource: unknown): boolean {
    return isToldOfPeer(this.#peer, resource, this.observer.main?.receiver);
  }

  takenDirectly(): DirectLoanReport {
    const { observer } = this;
    const resource = observer.allocated('resource', observer.root);
    const loan = observer.takenDirectly(resource);
    return {
      touch: () => observer.touched(loan, IN_USE),
      end: (isReclaimed) => {
        observer.freed(loan, isReclaimed);
        observer.freed(resource);
      },
    };
  }

  givenBackDirectly(slot: Slot<T>): void {
    const loan = this.#endedPastLease(slot);
    if (loan !== undefined) this.observer.givenBackDirectly(loan);
  }

  reclaimed(slot: Slot<T>): void {
    const loan = this.#endedPastLease(slot);
    if (loan !== undefined) this.observer.freed(loan, true);
  }

  /** Counts the loan of a slot as out no longer, and gives it. */
  #endedPastLease(slot: Slot<T>): NodeId | undefined {
    const loan = this.loanOf(slot);
    this.#givenBack.set(slot, slot.loan);
    slot.loanNode = undefined;
    return loan;
  }

  protected override *present(observer: Observer): Generator<undefined> {
    if (observer.takenDirectly !== undefined) this.#directLoans.forget(); // Later looks report them to it.
    yield* [...super.present(observer)]; // All in the first step: the list of loans does not bear changes between two steps.
  }
}
