/**
 * A caller who waits: in a line for its turn, and in the deadline queue for its time. The pool keeps it until a resource
 * is granted, its time is up, its signal aborts or the pool closes, whichever comes first; then it is settled once and
 * for all, and nothing keeps it any more.
 */
import type { Linked } from '../../core/linked-list.js';
import type { Client, Creation } from '../creation/creation.js';
import type { Grant } from '../loan/grant.js';
import type { LoanOrigin } from '../loan/loan-origin.js';
import type { LeaseOptions, PoolSettings } from '../pool-options.js';

/** The place of a waiter that is not among those with a timeout of their own. */
export const NOT_IN_HEAP = -1;

/** The deadline of those who wait without end, and of those who have left. */
export const NO_DEADLINE = -1;

/** What a caller asks for besides a resource. Most ask for nothing, and their waiters are the smaller for it. */
export class WaitOptions {
  /** The number of its line. A priority beyond the range is the last one. */
  readonly priority: number;
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  /** The place among those with a timeout of their own. */
  heapIndex: number = NOT_IN_HEAP;

  constructor({ priority = 0, timeoutMillis, signal }: LeaseOptions, settings: PoolSettings) {
    const lowest = settings.priorityRange - 1;
    this.priority = priority >= 0 && priority <= lowest ? priority : lowest;
    this.timeoutMillis = timeoutMillis ?? settings.acquireTimeoutMillis;
    this.signal = signal;
  }
}

/** Ends a wait with what was asked for. */
export type Resolve = (granted: unknown) => void;

/** Ends a wait with nothing. */
export type Reject = (reason: unknown) => void;

/** A caller who waits for a resource. */
export class Waiter<T> implements Linked<Waiter<T>>, Client {
  previous: Waiter<T> | null = null;
  next: Waiter<T> | null = null;
  /** In whole milliseconds, which V8 keeps without an allocation. */
  deadline: number = NO_DEADLINE;
  readonly grant: Grant<T, unknown>;
  readonly origin: LoanOrigin<T> | undefined;
  readonly options: WaitOptions | null;
  readonly resolve: Resolve;
  readonly #reject: Reject | undefined;
  /** The creation that was begun for it; its failure is this waiter's. */
  creation: Creation | null = null;
  /** When it came, if its time is being taken. */
  since: number | null = null;
  /** Its number among the callers of all pools under a common ceiling. */
  ticket = 0;
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

  /** One of a crowd has no function for it, and is rejected by way of another promise, two microtasks later. */
  reject(reason: unknown): void {
    if (this.#reject === undefined) this.resolve(Promise.reject(reason));
    else this.#reject(reason);
  }

  /** The number of its line. */
  get priority(): number {
    return this.options === null ? 0 : this.options.priority;
  }

  /** The place among those with a timeout of their own. */
  get heapIndex(): number {
    return this.options === null ? NOT_IN_HEAP : this.options.heapIndex;
  }

  set heapIndex(index: number) {
    if (this.options !== null) this.options.heapIndex = index;
  }
}
