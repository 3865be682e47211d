/**
 * A caller that waits for a resource. Its wait ends once: with a resource, by its timeout, by its signal, or by the close
 * of the pool.
 */
import type { Linked } from '../../core/linked-list.js';
import { NOT_IN_HEAP } from '../../core/min-heap.js';
import type { Creation, CreationWaiter } from '../creation/creation.js';
import type { Grant } from '../loan/grant.js';
import type { LoanOrigin } from '../loan/loan-origin.js';
import type { LeaseOptions, PoolSettings } from '../pool-options.js';

/** The deadline of a waiter without a timeout. */
export const NO_DEADLINE = -1;

/** The options of a waiter, apart from it because most waiters have none. */
export class WaitOptions {
  /** From 0, the most urgent. A priority beyond the range counts as the least urgent. */
  readonly priority: number;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  /** The index in the heap of deadlines. */
  heapIndex: number = NOT_IN_HEAP;

  constructor({ priority = 0, timeoutMillis, signal }: LeaseOptions, settings: PoolSettings) {
    const lowest = settings.priorityRange - 1;
    this.priority = priority >= 0 && priority <= lowest ? priority : lowest;
    this.timeoutMillis = timeoutMillis ?? settings.acquireTimeoutMillis;
    this.signal = signal;
  }
}

/** Ends a wait with the grant. */
export type Resolve = (granted: unknown) => void;

/** Ends a wait with an error. */
export type Reject = (reason: unknown) => void;

/** A caller that waits for a resource. */
export class Waiter<T> implements Linked<Waiter<T>>, CreationWaiter {
  previous: Waiter<T> | null = null;
  next: Waiter<T> | null = null;
  /** In whole milliseconds, which V8 stores without an allocation. */
  deadline: number = NO_DEADLINE;
  readonly grant: Grant<T, unknown>;
  readonly origin: LoanOrigin<T> | undefined;
  readonly options: WaitOptions | null;
  readonly resolve: Resolve;
  readonly #reject: Reject | undefined;
  /** The creation that was begun for this waiter, and whose failure rejects it. */
  creation: Creation | null = null;
  /** When it came, if its wait is timed. */
  since: number | null = null;
  /** Its number among the waiters of all pools under a shared ceiling. */
  ticket = 0;
  /** Whether the wait has ended. */
  settled = false;

  constructor(
    grant: Grant<T, unknown>,
    origin: LoanOrigin<T> | undefined,
    options: WaitOptions | null,
    resolve: Resolve,
    reject?: Reject,
  ) {
    this.grant = grant;
    this.origin = origin;
    this.options = options;
    this.resolve = resolve;
    this.#reject = reject;
  }

  /** Rejects the caller. A waiter that had no options is rejected by another promise, two microtasks later. */
  reject(reason: unknown): void {
    if (this.#reject === undefined) this.resolve(Promise.reject(reason));
    else this.#reject(reason);
  }

  /** From 0, the most urgent. */
  get priority(): number {
    return this.options === null ? 0 : this.options.priority;
  }

  /** The index in the heap of deadlines. */
  get heapIndex(): number {
    return this.options === null ? NOT_IN_HEAP : this.options.heapIndex;
  }

  set heapIndex(index: number) {
    if (this.options !== null) this.options.heapIndex = index;
  }
}
