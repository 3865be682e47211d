/**
 * The loans of one component: those that are out, and those that a forced close has taken back.
 *
 * ```
 *   lent ──▶ counted ──lasted──▶ tracked ──▶ ended by its holder
 *     └───────────────────────────▲ └──▶ taken back by force ──▶ ended late, by its holder
 * ```
 */
import type { KnownCaller, NodeId, Origin } from '../core/probe.js';
import { type CallOrigin, NO_ORIGIN } from './call-origin.js';
import { UNTRACKED } from './caller-capture.js';
import { Loan } from './loan.js';
import { LoanCounter } from './loan-counter.js';
import type { LoanTracker } from './loan-tracker.js';
import { NodeTable, ROOT } from './node-table.js';
import { ReclaimedLoans } from './reclaimed-loans.js';
import type { WatchedComponent } from './watched-component.js';

/** The id of each loan that is counted and not tracked. */
const UNTRACKED_ID: NodeId = -2;

export class ComponentLoans {
  readonly #tracker: LoanTracker;
  readonly #component: WatchedComponent;
  #table: NodeTable;
  /** Loans that a forced close has taken back, and that their holders may still end. */
  readonly #reclaimed = new ReclaimedLoans();
  readonly #counter = new LoanCounter();
  #isClosed = false;

  /** `table` has the nodes and the tracked loans of the component. */
  constructor(tracker: LoanTracker, component: WatchedComponent, table: NodeTable) {
    this.#tracker = tracker;
    this.#component = component;
    this.#table = table;
  }

  /** The component has answered to being watched. */
  attached(): void {
    this.#counter.begin(this.#component.loanCounts());
  }

  /** How many loans are out. */
  get out(): number {
    return this.#isClosed ? 0 : this.#counter.out(this.#component.loanCounts());
  }

  /** How many of them are tracked. */
  get trackedOut(): number {
    return this.#counter.trackedOut;
  }

  /** How many loans have begun that the component has not reported, as far as is known. */
  get unreported(): number {
    return this.#isClosed ? 0 : this.#counter.unreported(this.#component.loanCounts());
  }

  /** Whether, since the last call, a loan that is not tracked has begun or ended, or another resource has come back. */
  hasMoved(): boolean {
    const returns = this.#component.stats()?.['returns'] ?? 0;
    return this.#counter.hasMoved(this.#component.loanCounts(), returns);
  }

  /** Begins a loan, and gives its id. It is counted only if the caller was not captured. */
  lent(held: NodeId, origin: Origin, capability?: WeakKey): NodeId {
    if (this.#isClosed) return ROOT;
    const tracker = this.#tracker;
    if (origin === UNTRACKED) {
      this.#counter.noteReported(false);
      if (this.#component.lendsShared) this.#keepShared(held);
      tracker.noteLoan();
      return UNTRACKED_ID;
    }
    const now = tracker.loanTime();
    const caller = origin as CallOrigin;
    if (caller.isDirect !== true) this.#counter.noteReported(true);
    this.#component.lastMovedAt = now;
    const id = this.#track(held, caller, now, capability);
    tracker.noteLoan();
    return id;
  }

  /** Tracks a loan that has lasted for so long, unless it is tracked. Gives its id. */
  lasted(
    id: NodeId | undefined,
    held: NodeId,
    millis: number,
    caller?: KnownCaller,
  ): NodeId | undefined {
    if (this.#isClosed || (id !== undefined && id !== UNTRACKED_ID)) return id;
    if (id === UNTRACKED_ID) this.#counter.untrackedOut--;
    const lentAt = this.#tracker.loanTime() - millis;
    if (caller === undefined) {
      const call = this.#component.callers.untrackedCall;
      return this.#track(held, { ...NO_ORIGIN, call }, lentAt);
    }
    const { call, stack } = caller;
    return this.#track(held, { ...NO_ORIGIN, call: { name: call }, stack, isLate: true }, lentAt);
  }

  /** Ends the loan with this id. `reclaimed` says that the component took it back by force. False if it is no loan. */
  end(id: NodeId, reclaimed: boolean): boolean {
    if (id === UNTRACKED_ID) {
      if (!this.#isClosed) this.#counter.untrackedOut--;
      return true;
    }
    const loan = this.#table.loan(id);
    if (loan !== undefined) {
      if (reclaimed) this.#judgeBeforeReclaim(loan);
      this.#end(loan, reclaimed);
      return true;
    }
    const reclaimedLoan = this.#reclaimed.take(id);
    if (reclaimedLoan === undefined) return false;
    this.#tracker.forcedReturns.endedLate(reclaimedLoan);
    if (!this.#isClosed) this.#table.free(id);
    return true;
  }

  /**
   * Ends all loans, with the watch: none is out any more. Each step of the result removes one at most. A loan that was taken back by force
   * stays known if `hasEnded`, the component has ended by itself: V8 may prove later that it was lost.
   */
  close(hasEnded: boolean): Iterator<unknown> & Iterable<unknown> {
    const tracked = this.trackedOut;
    const table = this.#table;
    this.#isClosed = true;
    this.#counter.close();
    this.#table = new NodeTable();
    return this.#removal(table, tracked, hasEnded ? [] : this.#reclaimed.takeAll());
  }

  *#removal(table: NodeTable, tracked: number, reclaimed: readonly Loan[]): Generator<undefined> {
    const records = table.youngestFirst();
    for (let left = tracked; left > 0; ) {
      const { value: record, done } = records.next();
      if (done === true) break;
      if (record instanceof Loan) {
        left--;
        this.#endWithWatch(record);
      }
      yield;
    }
    for (const loan of reclaimed) {
      this.#tracker.forcedReturns.conclude(loan);
      yield;
    }
  }

  #track(held: NodeId, origin: CallOrigin, lentAt: number, capability?: WeakKey): NodeId {
    const id = this.#table.nextId();
    const loan = new Loan(this.#component, id, this.#table.node(held), origin, lentAt, capability);
    this.#table.add(loan);
    this.#counter.noteTracked(origin.isDirect === true);
    this.#tracker.track(loan);
    return id;
  }

  /** The component holds a shared value until its last lease has ended, since the lease that has no node cannot. */
  #keepShared(held: NodeId): void {
    const value = this.#table.node(held);
    if (value === undefined) return;
    value.hasUntrackedLease = true;
    if (value.owner === null) this.#tracker.graph.setOwner(value, this.#component.node);
  }

  /** A forced close ends a loan as its holder would. Before that, the rules see it as it is. */
  #judgeBeforeReclaim(loan: Loan): void {
    this.#tracker.settleAll();
    this.#tracker.rules.judge(loan, this.#tracker.now());
  }

  #end(loan: Loan, reclaimed: boolean): void {
    const tracker = this.#tracker;
    const { id } = loan;
    this.#counter.trackedOut--;
    if (loan.origin.isDirect === true) this.#counter.directOut--;
    if (!reclaimed) this.#component.recordHold(loan);
    if (loan.node === null) {
      tracker.endedUnsettled(loan);
      loan.end();
      this.#table.free(id);
      return;
    }
    if (loan.held?.owner === null) tracker.settleAll(); // Another loan of the value may have no node yet, and hold it alone.
    const isKept = loan.hasCapability ? !loan.collected : tracker.ledger.has(loan);
    if (reclaimed && isKept) {
      this.#table.unset(id);
      this.#reclaimed.add(loan);
      tracker.forcedReturns.add(loan);
      return;
    }
    loan.end();
    this.#table.free(id);
    tracker.graph.removeOwner(loan);
    tracker.ended(loan, reclaimed);
  }

  #endWithWatch(loan: Loan): void {
    const tracker = this.#tracker;
    const isSettled = loan.node !== null;
    if (!isSettled) tracker.endedUnsettled(loan);
    loan.end();
    if (!isSettled) return;
    tracker.graph.removeOwner(loan);
    tracker.ended(loan, true);
  }
}
