/** What a lease needs of the pool that granted it, and no more. */
import type { Slot } from './slot.js';

/** Who a loan is given back to. */
export interface Lender<T> {
  readonly name: string;
  /** Takes a borrowed slot back; settles when the resource has been reset and validated. Never rejects. */
  takeBack(slot: Slot<T>): void | Promise<void>;
  /** Takes a borrowed slot back and destroys its resource; settles when it is gone. Never rejects. */
  discard(slot: Slot<T>, reason: string): Promise<void>;
  /** Ends a loan by letting its holder keep the resource. */
  detach(slot: Slot<T>): void;
  /** The holder did something with the loan. */
  touched(slot: Slot<T>, hint: string | undefined): void;
  /** The holder means to keep the loan for so long. */
  expected(slot: Slot<T>, millis: number): void;
}
