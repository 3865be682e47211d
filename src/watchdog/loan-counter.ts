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
  /** How many loans of the component were reported. */
  #reported = 0;
  /** How many loans there were before the watch. */
  #begunBefore = 0;
  /** How many were not reported since, when this was looked at last. */
  #unreported = 0;
  #untrackedBefore = 0;

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

  /** Whether a loan that is not tracked has begun since the last call. */
  hasNewUntracked(counts: LoanCounts | undefined): boolean {
    const before = this.#untrackedBefore;
    this.#untrackedBefore = this.#untracked + this.unreported(counts);
    return this.#untrackedBefore !== before;
  }

  /** No loan is out any more. */
  close(): void {
    this.trackedOut = 0;
    this.directOut = 0;
    this.untrackedOut = 0;
    this.#unreported = 0;
  }
}
