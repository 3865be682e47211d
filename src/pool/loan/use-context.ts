/** The context that `use()` gives to its function beside the resource. It has no effect after the loan has ended. */
import { notGenerator } from '../../core/not-generator.js';
import { destroyReason } from './destroy-reason.js';
import { Slot } from './slot.js';

/** The loan of one call of `use()`. */
export class UseContext<T> {
  /** The signal that `use()` was called with. */
  readonly signal: AbortSignal | undefined;
  readonly #slot: Slot<T>;
  readonly #loan: number;
  #discardReason: string | undefined = undefined;
  /** @internal Whether the resource is destroyed if the function fails. */
  isDiscardedOnFailure = false;

  /** @internal */
  constructor(slot: Slot<T>, signal: AbortSignal | undefined) {
    this.#slot = slot;
    this.#loan = slot.loan;
    this.signal = signal;
  }

  /** Has the resource destroyed when the function is done. Call it when the resource is broken. */
  discard(reason: string = 'discarded'): void {
    this.#discardReason = destroyReason(reason);
  }

  /** Tells a watchdog that the resource is in use; `hint` says by what. */
  touch(hint?: string): void {
    this.#slot.touch(this.#loan, hint);
  }

  /** Tells a watchdog that the resource will be held for up to `holdMillis` milliseconds from now, on purpose. */
  expectHold(holdMillis: number): void {
    this.#slot.expectHold(this.#loan, holdMillis);
  }

  /** @internal Tells the pool of an error, which may show that the resource is broken. */
  failed(error: unknown): void {
    if (this.isDiscardedOnFailure) this.discard();
    this.#slot.failed(this.#loan, error);
  }

  /** @internal Ends the loan. Reports a late end if a forced close has ended it. */
  end(): void {
    if (this.#slot.loan !== this.#loan) this.#slot.endedLate();
    else if (this.#discardReason === undefined) void this.#slot.lender.takeBack(this.#slot);
    else void this.#slot.lender.discard(this.#slot, this.#discardReason);
  }
}

/**
 * Calls `fn` with the resource of a borrowed slot, once it is granted, and ends the loan when `fn` has returned, thrown or settled.
 * One async function for both cases: each further one would cost two promises per loan.
 */
export async function useSlot<T, R>(
  granted: Slot<T> | Promise<Slot<T>>,
  fn: (resource: T, context: UseContext<T>) => R,
  signal?: AbortSignal,
): Promise<Awaited<R>> {
  const slot = granted instanceof Slot ? granted : await granted;
  const context = new UseContext(slot, signal);
  try {
    return await notGenerator('use', fn(slot.resource, context));
  } catch (error) {
    context.failed(error);
    throw error;
  } finally {
    context.end();
  }
}
