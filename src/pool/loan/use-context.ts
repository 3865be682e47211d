/**
 * What the function given to `use()` gets beside the resource. Like a lease, it is dead as soon as its loan has ended.
 */
import { checkArgument, millis } from '../../core/options.js';
import type { LeaseOptions } from '../pool-options.js';
import type { Slot } from './slot.js';

/** The loan that a function given to `use()` runs on. */
export class UseContext<T> {
  /** The signal that `use()` was called with. */
  readonly signal: AbortSignal | undefined;
  readonly #slot: Slot<T>;
  readonly #loan: number;
  #discardReason: string | undefined = undefined;

  /** @internal */
  constructor(slot: Slot<T>, signal: AbortSignal | undefined) {
    this.#slot = slot;
    this.#loan = slot.loan;
    this.signal = signal;
  }

  /** Has the resource destroyed, instead of lent again, when the function is done: call it when it is broken. */
  discard(reason: string = 'discarded'): void {
    this.#discardReason = reason;
  }

  /** Tells a watchdog that the resource is in use; `hint` says by what. */
  touch(hint?: string): void {
    if (this.#slot.loan === this.#loan) this.#slot.lender.touched(this.#slot, hint);
  }

  /** Tells a watchdog that the resource will be held for up to `holdMillis` milliseconds from now, on purpose. */
  expectHold(holdMillis: number): void {
    checkArgument('expectHold', 'holdMillis', holdMillis, millis);
    if (this.#slot.loan === this.#loan) this.#slot.lender.expected(this.#slot, holdMillis);
  }

  /** @internal Ends the loan, unless a forced close has ended it. */
  end(): void {
    if (this.#slot.loan !== this.#loan) return;
    if (this.#discardReason === undefined) void this.#slot.lender.takeBack(this.#slot);
    else void this.#slot.lender.discard(this.#slot, this.#discardReason);
  }
}

/** Calls `fn` with what is out, and gives it back when `fn` is done, whatever came of it. */
export async function useNow<T, R>(
  slot: Slot<T>,
  fn: (resource: T, context: UseContext<T>) => R,
  signal?: AbortSignal,
): Promise<Awaited<R>> {
  const context = new UseContext(slot, signal);
  try {
    return await fn(slot.resource, context);
  } finally {
    context.end();
  }
}

/** The same with what has yet to be granted. */
export async function useOnceGranted<T, R>(
  asked: Promise<Slot<T>>,
  fn: (resource: T, context: UseContext<T>) => R,
  options: LeaseOptions | number | undefined,
): Promise<Awaited<R>> {
  const slot = await asked;
  return useNow(slot, fn, typeof options === 'object' ? options.signal : undefined);
}
