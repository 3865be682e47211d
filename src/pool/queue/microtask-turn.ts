/**
 * One run of microtasks. No timer fires within it, so all waiters that come within one run may share a deadline. The clock is
 * read once a run. Reading it for each waiter would cost as much as the rest of a wait.
 */
import { SETTLED } from '../../core/settled.js';

/** Tells whether the current run of microtasks is still the one in which {@link begin} was called. */
export class MicrotaskTurn {
  isRunning = false;
  readonly #end: () => void;

  constructor() {
    this.#end = () => this.end();
  }

  /** Begins a turn, which ends when the microtasks that are due now have run. */
  begin(): void {
    this.isRunning = true;
    void SETTLED.then(this.#end);
  }

  /** Ends the turn. */
  end(): void {
    this.isRunning = false;
  }
}
