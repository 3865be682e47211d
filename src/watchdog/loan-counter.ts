/**
 * Counts the loans of one component. A component may report some of its loans only, and count all of them itself:
 *
 * ```
 *   all loans of the component ──reported──▶ tracked, or counted here
 *                └──not reported──▶ counted by the component
 * ```
 */
import type { LoanCounts } from '../core/probe.js';

export class LoanCounter {
  /** How many loans are out that are tracked. */
  trackedOut = 0;
  /** How many of them were taken from the pool underneath. The component does not count them. */
  directOut = 0;
  /** How many loans are out that were reported and are not tracked. */
  untrackedOut = 0;
  /** How many loans that are not tracked were reported. */
  #untracked = 0;
  /** How many loans are or were tracked, without those taken from the pool underneath. */
  #tracked = 0;
  /** How many loans of the component were reported. */
  #reported = 0;
  /** How many loans there were before the watch. */
  #begunBefore = 0;
  /** How many were not reported since, when this was looked at last. */
  #unreported = 0;
  /** What {@link hasMoved} has seen. */
  #movedBefore = 0;

  /** The watch begins. `counts` are those of the component, if it counts its loans. */
  begin(counts: LoanCounts | undefined): void {
    this.#begunBefore = (counts?.begun ?? 0) - this.#reported;
  }

  /** Counts a loan of the component that was reported. */
  noteReported(isTracked: boolean): void {
    this.#reported++;
    if (isTracked) return;
    this.#untracked++;
    this.untrackedOut++;
  }

  /** Counts a loan that is tracked from now on. */
  noteTracked(isDirect: boolean): void {
    this.trackedOut++;
    if (isDirect) this.directOut++;
    else this.#tracked++;
  }

  /** How many loans are out. */
  out(counts: LoanCounts | undefined): number {
    return counts === undefined ? this.trackedOut + this.untrackedOut : counts.out + this.directOut;
  }

  /** How many loans have begun that were not reported; as many as were known last if `counts` is `undefined`. */
  unreported(counts: LoanCounts | undefined): number {
    if (counts !== undefined) {
      this.#unreported = counts.begun - this.#begunBefore - this.#reported;
    }
    return this.#unreported;
  }

  /**
   * Whether a loan that is not tracked has begun or ended since the last call. `returns` is how many resources have come back besides
   * those of the component's loans.
   */
  hasMoved(counts: LoanCounts | undefined, returns: number): boolean {
    const before = this.#movedBefore;
    this.#movedBefore =
      this.#untracked + this.unreported(counts) + this.#untrackedReturned(counts) + returns;
    return this.#movedBefore !== before;
  }

  #untrackedReturned(counts: LoanCounts | undefined): number {
    const trackedOut = this.trackedOut - this.directOut;
    const { begun, out } = counts ?? {
      begun: this.#reported,
      out: trackedOut + this.untrackedOut,
    };
    return begun - out - (this.#tracked - trackedOut);
  }

  /** No loan is out any more. */
  close(): void {
    this.trackedOut = 0;
    this.directOut = 0;
    this.untrackedOut = 0;
    this.#unreported = 0;
  }
}
