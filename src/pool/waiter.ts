/**
 * A caller who waits: in a line for its turn, and in the deadline queue for its time. The pool keeps it until a resource
 * is granted, its time is up, its signal aborts or the pool closes, whichever comes first; then it is settled once and
 * for all, and nothing keeps it any more.
 */
import type { Linked } from '../core/linked-list.js';
import type { Client, Creation } from './creation.js';
import type { Grant } from './grant.js';
import type { TakenOrigin } from './pool-watch.js';

/** A caller who waits for a resource. */
export class Waiter<T> implements Linked<Waiter<T>>, Client {
  previous: Waiter<T> | null = null;
  next: Waiter<T> | null = null;
  /** Neighbours by deadline, among those with the pool's own timeout. */
  earlier: Waiter<T> | null = null;
  later: Waiter<T> | null = null;
  /** The place in the heap of the other deadlines; -1 outside of it. */
  heapIndex = -1;
  readonly priority: number;
  readonly timeoutMillis: number;
  deadline: number = Number.POSITIVE_INFINITY;
  readonly grant: Grant<T, unknown>;
  readonly origin: TakenOrigin<T> | undefined;
  readonly signal: AbortSignal | undefined;
  /** The creation that was begun for it; its failure is this waiter's. */
  creation: Creation | null = null;
  /** When it came, if its time is being taken; else -1. */
  since = -1;
  /** Its number among the callers of all pools under a common ceiling. */
  ticket = 0;
  settled = false;
  resolve!: (granted: unknown) => void;
  reject!: (reason: unknown) => void;

  constructor(
    grant: Grant<T, unknown>,
    priority: number,
    timeoutMillis: number,
    signal: AbortSignal | undefined,
    origin: TakenOrigin<T> | undefined,
  ) {
    this.grant = grant;
    this.priority = priority;
    this.timeoutMillis = timeoutMillis;
    this.signal = signal;
    this.origin = origin;
  }
}
