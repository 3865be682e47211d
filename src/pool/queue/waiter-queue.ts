/**
 * The wait queue: one line per priority, first come, first served within a line. A waiter leaves from any place in O(1), so
 * a thousand aborted requests cost a thousand steps.
 *
 * ```
 *   priority 0   waiter ⇄ waiter ⇄ waiter   then the plain waiters
 *   priority 1   waiter ⇄ waiter
 * ```
 *
 * Waiters without options at the end of the most urgent line are stored without an object each (`PlainWaiters`). They become
 * `Waiter` objects when something else than serving them is due.
 *
 * One timer serves all deadlines. Nearly all waiters have the pool's timeout, so their deadlines are in the order of the lines.
 * Others are in a heap.
 */
import { abortReason } from '../../core/abort-reason.js';
import type { RunInContext } from '../../core/async-context.js';
import { DeadlineTimer } from '../../core/deadline-timer.js';
import { LinkedList } from '../../core/linked-list.js';
import { MinHeap, NOT_IN_HEAP } from '../../core/min-heap.js';
import { SignalListeners } from '../../core/signal-listeners.js';
import type { Grant } from '../loan/grant.js';
import type { LoanOrigin } from '../loan/loan-origin.js';
import type { Slot } from '../loan/slot.js';
import type { PoolSettings } from '../pool-options.js';
import { MicrotaskTurn } from './microtask-turn.js';
import { PlainWaiters } from './plain-waiters.js';
import type { WaitTimes } from './wait-times.js';
import { NO_DEADLINE, type Waiter, type WaitOptions } from './waiter.js';

/** Told when waits end without a resource. The waiters have left the queue by then. */
export interface WaiterQueueListener<T> {
  /** The timeouts of these waiters are over. `stalledMillis` is how long the event loop was blocked, 0 if it was not. */
  expired(waiters: readonly Waiter<T>[], stalledMillis: number): void;
  /** The signal of this waiter aborted. */
  aborted(waiter: Waiter<T>, reason: unknown): void;
  /** A waiter has left, with or without a resource. Not told of waiters that {@link WaiterQueue.join} has added. */
  changed(): void;
  /** The last waiter has left. */
  emptied(): void;
}

/** The waiters of one pool. */
export class WaiterQueue<T> {
  readonly #settings: PoolSettings;
  readonly #listener: WaiterQueueListener<T>;
  readonly #times: WaitTimes;
  readonly #lines: LinkedList<Waiter<T>>[];
  /** The most urgent line; the plain waiters stand behind it. */
  readonly #firstLine: LinkedList<Waiter<T>>;
  readonly #plain: PlainWaiters<T>;
  /** Waiters with a timeout of their own. */
  readonly #ownDeadlines = new MinHeap<Waiter<T>>(({ deadline }) => deadline);
  /** The next deadline of the waiters with the pool's timeout, or an earlier time. */
  #commonDeadline = Number.POSITIVE_INFINITY;
  readonly #signals: SignalListeners<Waiter<T>>;
  readonly #turn = new MicrotaskTurn();
  /** The deadline of the waiters with the pool's timeout that come in this turn. */
  #turnDeadline = NO_DEADLINE;
  readonly #timer: DeadlineTimer;
  /** How many callers wait. */
  length = 0;

  constructor(
    settings: PoolSettings,
    runInContext: RunInContext,
    listener: WaiterQueueListener<T>,
    times: WaitTimes,
  ) {
    this.#settings = settings;
    this.#listener = listener;
    this.#times = times;
    this.#lines = Array.from({ length: settings.priorityRange }, () => new LinkedList());
    this.#firstLine = this.#lines[0] as LinkedList<Waiter<T>>;
    this.#plain = new PlainWaiters(times);
    this.#timer = new DeadlineTimer(settings.clock, runInContext, (now, stalledMillis) =>
      this.#expire(now, stalledMillis),
    );
    this.#signals = new SignalListeners((waiter, reason) => {
      this.remove(waiter);
      listener.aborted(waiter, reason);
    });
  }

  /** Puts a waiter at the end of its line. */
  add(waiter: Waiter<T>): void {
    const line = this.#line(waiter);
    if (line === this.#firstLine) while (this.#plain.length > 0) this.#promoteFirstPlain();
    waiter.since = this.#times.begin();
    line.append(waiter);
    this.length++;
  }

  /** Adds a waiter without options at the end of the most urgent line, and starts its time. */
  join<R>(grant: Grant<T, R>, origin: LoanOrigin<T> | undefined): Promise<R> {
    if (!this.#turn.isRunning) this.#beginTurn();
    this.length++;
    return this.#plain.join(grant, origin, this.#turnDeadline);
  }

  /** Makes the first plain waiter an object, at the end of the line before it. */
  #promoteFirstPlain(): Waiter<T> {
    const waiter = this.#plain.takeFirst();
    this.#firstLine.append(waiter);
    return waiter;
  }

  /** Grants the slot to the first waiter of the most urgent line, which must exist. */
  serve(slot: Slot<T>): void {
    if (this.#plain.length === this.length) {
      this.length--;
      this.#plain.serve(slot);
      if (this.length === 0) this.#onEmptied();
    } else this.#serveWaiter(this.shift() as Waiter<T>, slot);
  }

  #serveWaiter(waiter: Waiter<T>, slot: Slot<T>): void {
    if (waiter.since !== null) this.#times.end(waiter.since);
    waiter.resolve(waiter.grant(slot, waiter.origin));
  }

  /**
   * Starts the waiter's time and listens to its signal. Call it once it is clear that the caller has to wait. A clock or a signal that
   * throws ends the wait.
   */
  startWaiting(waiter: Waiter<T>): void {
    const { options } = waiter;
    try {
      if (options === null) this.#setCommonDeadline(waiter);
      else {
        this.#setDeadline(waiter, options.timeoutMillis);
        if (options.signal !== undefined) this.#listen(waiter, options.signal);
      }
    } catch (error) {
      if (waiter.settled) return;
      this.remove(waiter);
      this.#listener.aborted(waiter, error);
    }
  }

  /** A signal of another make may have aborted meanwhile, or call its listener at once. */
  #listen(waiter: Waiter<T>, signal: AbortSignal): void {
    if (!signal.aborted) this.#signals.add(signal, waiter);
    if (waiter.settled || !signal.aborted) return;
    this.remove(waiter);
    this.#listener.aborted(waiter, abortReason(signal));
  }

  /** The first waiter of the most urgent line. */
  get first(): Waiter<T> | null {
    return this.#mostUrgent()?.first ?? null;
  }

  /** When the first waiter of the most urgent line came, if its wait is timed. */
  get firstSince(): number | null {
    return this.#plain.length === this.length
      ? this.#plain.firstSince
      : (this.first?.since ?? null);
  }

  /** Takes the first waiter of the most urgent line out; it is settled from now on. */
  shift(): Waiter<T> | null {
    const waiter = this.#mostUrgent()?.shift() ?? null;
    if (waiter !== null) this.#onLeft(waiter);
    return waiter;
  }

  #mostUrgent(): LinkedList<Waiter<T>> | undefined {
    if (this.#firstLine.length === 0 && this.#plain.length > 0) this.#promoteFirstPlain();
    return this.#lines.length === 1 ? this.#firstLine : this.#lines.find((line) => line.length > 0);
  }

  /** Takes a waiter out from any place; it is settled from now on. */
  remove(waiter: Waiter<T>): void {
    this.#line(waiter).remove(waiter);
    this.#onLeft(waiter);
  }

  #onLeft(waiter: Waiter<T>): void {
    this.length--;
    waiter.settled = true;
    if (waiter.options !== null) this.#releaseOptions(waiter, waiter.options);
    // The creation goes on for the next waiter. This one keeps a reference, for the phase in its error.
    if (waiter.creation !== null) waiter.creation.waiter = null;
    this.#listener.changed();
    if (this.length === 0) this.#onEmptied();
  }

  #onEmptied(): void {
    this.#turn.end();
    this.#commonDeadline = Number.POSITIVE_INFINITY;
    this.#timer.clear();
    this.#plain.shrink();
    this.#listener.emptied();
  }

  /**
   * The first waiter for whom no creation was begun. At most `max` are passed over, because each of those has a running
   * creation.
   */
  firstWithoutCreation(): Waiter<T> | null {
    for (const line of this.#lines) {
      for (const waiter of line) if (waiter.creation === null) return waiter;
      if (line === this.#firstLine && this.#plain.length > 0) return this.#promoteFirstPlain();
    }
    return null;
  }

  #line(waiter: Waiter<T>): LinkedList<Waiter<T>> {
    return this.#lines[waiter.priority] as LinkedList<Waiter<T>>;
  }

  #releaseOptions(waiter: Waiter<T>, { signal }: WaitOptions): void {
    if (waiter.heapIndex !== NOT_IN_HEAP) this.#ownDeadlines.remove(waiter);
    if (signal !== undefined) this.#signals.remove(signal, waiter);
  }

  #setDeadline(waiter: Waiter<T>, timeoutMillis: number): void {
    if (timeoutMillis === this.#settings.acquireTimeoutMillis) {
      this.#setCommonDeadline(waiter);
      return;
    }
    if (timeoutMillis === Number.POSITIVE_INFINITY) return;
    waiter.deadline = Math.ceil(this.#settings.clock.now()) + timeoutMillis;
    this.#ownDeadlines.add(waiter);
    this.#timer.expect(waiter.deadline);
  }

  #setCommonDeadline(waiter: Waiter<T>): void {
    if (!this.#turn.isRunning) this.#beginTurn();
    waiter.deadline = this.#turnDeadline;
  }

  #beginTurn(): void {
    const { clock, acquireTimeoutMillis } = this.#settings;
    if (acquireTimeoutMillis === Number.POSITIVE_INFINITY) return;
    const deadline = Math.ceil(clock.now()) + acquireTimeoutMillis;
    this.#timer.expect(deadline); // If the clock throws, no turn has begun: the next waiter tries again.
    this.#turn.begin();
    this.#turnDeadline = deadline;
    if (deadline < this.#commonDeadline) this.#commonDeadline = deadline;
  }

  #expire(now: number, stalledMillis: number): void {
    const expired: Waiter<T>[] = [];
    let own = this.#ownDeadlines.first;
    for (; own !== undefined && own.deadline <= now; own = this.#ownDeadlines.first) {
      expired.push(own);
      this.remove(own);
    }
    if (this.#commonDeadline <= now) this.#expireCommon(now, expired);
    const next = Math.min(own?.deadline ?? Number.POSITIVE_INFINITY, this.#commonDeadline);
    if (this.length > 0) this.#timer.expectNext(next);
    if (expired.length > 0) {
      this.#listener.expired(
        expired.sort((a, b) => a.deadline - b.deadline),
        stalledMillis,
      );
    }
  }

  /** Waiters with the pool's timeout stand in each line in the order of their deadlines. */
  #expireCommon(now: number, expired: Waiter<T>[]): void {
    const plain = this.#plain;
    while (plain.nextDeadline <= now) this.#promoteFirstPlain();
    let next = plain.nextDeadline;
    for (const line of this.#lines) {
      for (const waiter of line) {
        if (waiter.heapIndex !== NOT_IN_HEAP || waiter.deadline === NO_DEADLINE) continue;
        if (waiter.deadline > now) {
          next = Math.min(next, waiter.deadline);
          break;
        }
        expired.push(waiter);
        this.remove(waiter);
      }
    }
    this.#commonDeadline = next;
  }
}
