/**
 * A caller who waits: in a line for its turn, and in the deadline queue for its time. The pool keeps it until a resource
 * is granted, its time is up, its signal aborts or the pool closes, whichever comes first; then it is settled once and
 * for all, and nothing keeps it any more.
 */
import type { Linked } from '../core/linked-list.js';
import type { Client, Creation } from './creation.js';
import type { Grant } from './grant.js';
import type { LoanOrigin } from './loan-origin.js';
import type { LeaseOptions, PoolSettings } from './pool-options.js';

/** The place of a waiter that is not among those with a timeout of their own. */
export const NOT_IN_HEAP = -1;

/** The deadline of those who wait without end, and of those who have left. */
export const NO_DEADLINE = -1;

/** A caller who waits for a resource. */
export class Waiter<T> implements Linked<Waiter<T>>, Client {
  previous: Waiter<T> | null = null;
  next: Waiter<T> | null = null;
  /** The place among those with a timeout of their own. */
  heapIndex: number = NOT_IN_HEAP;
  priority = 0;
  timeoutMillis: number;
  /** In whole milliseconds, which V8 keeps without an allocation. */
  deadline: number = NO_DEADLINE;
  readonly grant: Grant<T, unknown>;
  readonly origin: LoanOrigin<T> | undefined;
  signal: AbortSignal | undefined = undefined;
  /** The creation that was begun for it; its failure is this waiter's. */
  creation: Creation | null = null;
  /** When it came, if its time is being taken. */
  sample: { readonly since: number } | null = null;
  /** Its number among the callers of all pools under a common ceiling. */
  ticket = 0;
  settled = false;
  readonly granted: Promise<unknown>;
  resolve!: (granted: unknown) => void;
  reject!: (reason: unknown) => void;

  constructor(grant: Grant<T, unknown>, origin: LoanOrigin<T> | undefined, timeoutMillis: number) {
    this.grant = grant;
    this.origin = origin;
    this.timeoutMillis = timeoutMillis;
    this.granted = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Takes the caller's own options. A priority beyond the range is the last one. */
  ask({ priority = 0, timeoutMillis, signal }: LeaseOptions, settings: PoolSettings): void {
    const lowest = settings.priorityRange - 1;
    this.priority = priority >= 0 && priority <= lowest ? priority : lowest;
    if (timeoutMillis !== undefined) this.timeoutMillis = timeoutMillis;
    this.signal = signal;
  }
}
