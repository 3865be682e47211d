/** What the fast paths read and write, on one object. */
import type { KeyLevel } from './key-level.js';

/** The part of a cache that every hit touches. */
export class FastState {
  /** Calls answered by a stored result. */
  hits = 0;
  /**
   * Whether every slot is the result itself: there is no {@link Entry} in the store and no stand-in for `undefined`.
   * A fast path that had to ask of each slot what it is would spend a tenth of its time on that.
   */
  lasting: boolean;
  /** The top of the argument lists without a receiver. */
  top: KeyLevel;

  constructor(lasting: boolean, top: KeyLevel) {
    this.lasting = lasting;
    this.top = top;
  }
}
