/**
 * Waiters without options (no signal, timeout or priority), stored as parallel ring buffers instead of objects. They leave
 * the queue at its front only, so they need no links. This saves 300 bytes a wait.
 *
 * ```
 *   head = 5        length = 5, capacity = 8
 *     ┌───┬───┬───┬───┬───┬───┬───┬───┐
 *     │ d │ e │   │   │   │ a │ b │ c │     a is the first waiter
 *     └───┴───┴───┴───┴───┴───┴───┴───┘
 * ```
 *
 * A waiter becomes a `Waiter` object before it is rejected, and before a creation is begun for it.
 */
import type { Grant } from '../loan/grant.js';
import type { LoanOrigin } from '../loan/loan-origin.js';
import type { Slot } from '../loan/slot.js';
import type { WaitTimes } from './wait-times.js';
import { NO_DEADLINE, type Resolve, Waiter } from './waiter.js';

/** The first capacity. Capacities are powers of two, so that an index wraps with one `&`. */
const SMALL = 16;

/** A larger capacity is given up when the queue is empty. */
const LARGE = 1024;

/** Waiters without options, first come first. */
export class PlainWaiters<T> {
  #resolves!: (Resolve | undefined)[];
  #origins!: (LoanOrigin<T> | undefined)[];
  #grants!: (Grant<T, unknown> | undefined)[];
  #deadlines!: number[];
  #begins!: (number | null)[];
  #head = 0;
  length = 0;
  readonly #times: WaitTimes;

  constructor(times: WaitTimes) {
    this.#times = times;
    this.#clear();
  }

  /** Adds a waiter at the end. Amortised O(1). */
  join<R>(grant: Grant<T, R>, origin: LoanOrigin<T> | undefined, deadline: number): Promise<R> {
    const since = this.#times.begin();
    if (this.length === this.#resolves.length) this.#grow();
    const place = (this.#head + this.length) & (this.#resolves.length - 1);
    this.length++;
    this.#grants[place] = grant;
    this.#deadlines[place] = deadline;
    if (origin !== undefined) this.#origins[place] = origin;
    if (since !== null) this.#begins[place] = since;
    return new Promise<R>((resolve) => {
      this.#resolves[place] = resolve as Resolve;
    });
  }

  /** The deadline of the first waiter; infinite if there is none. */
  get nextDeadline(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : (this.#deadlines[this.#head] as number);
  }

  /** When the first waiter came, if its wait is timed. */
  get firstSince(): number | null {
    return this.#begins[this.#head] as number | null;
  }

  /** Grants the slot to the first waiter, which must exist. */
  serve(slot: Slot<T>): void {
    const place = this.#head;
    const grant = this.#grants[place] as Grant<T, unknown>;
    const resolve = this.#resolves[place] as Resolve;
    const origin = this.#origins[place];
    const since = this.#begins[place] as number | null;
    this.#removeFirst(place);
    if (since !== null) this.#times.end(since);
    resolve(grant(slot, origin));
  }

  /** Takes the first waiter out, as an object. */
  takeFirst(): Waiter<T> {
    const place = this.#head;
    const grant = this.#grants[place] as Grant<T, unknown>;
    const resolve = this.#resolves[place] as Resolve;
    const waiter = new Waiter<T>(grant, this.#origins[place], null, resolve);
    waiter.deadline = this.#deadlines[place] as number;
    waiter.since = this.#begins[place] as number | null;
    this.#removeFirst(place);
    return waiter;
  }

  /** Gives up the capacity that a long queue has left behind. */
  shrink(): void {
    if (this.length === 0 && this.#resolves.length > LARGE) this.#clear();
  }

  #removeFirst(first: number): void {
    this.#resolves[first] = undefined;
    if (this.#origins[first] !== undefined) this.#origins[first] = undefined;
    if (this.#begins[first] !== null) this.#begins[first] = null;
    this.#head = (first + 1) & (this.#resolves.length - 1);
    this.length--;
  }

  #clear(): void {
    this.#resolves = new Array(SMALL).fill(undefined);
    this.#origins = new Array(SMALL).fill(undefined);
    this.#grants = new Array(SMALL).fill(undefined);
    this.#deadlines = new Array(SMALL).fill(NO_DEADLINE);
    this.#begins = new Array(SMALL).fill(null);
    this.#head = 0;
  }

  #grow(): void {
    const head = this.#head;
    this.#resolves = unrolled(this.#resolves, head, undefined);
    this.#origins = unrolled(this.#origins, head, undefined);
    this.#grants = unrolled(this.#grants, head, undefined);
    this.#deadlines = unrolled(this.#deadlines, head, NO_DEADLINE);
    this.#begins = unrolled(this.#begins, head, null);
    this.#head = 0;
  }
}

/** The items of a full ring in order, with as many free places behind them. */
function unrolled<I>(ring: readonly I[], head: number, free: I): I[] {
  const places = new Array<I>(ring.length).fill(free);
  return ring.slice(head).concat(ring.slice(0, head), places);
}
