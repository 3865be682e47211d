/**
 * The time that an outside system has for its answers. It is that of the cache's clock, but for the time in which a busy event loop
 * works on answers: they have arrived, and wait for this process.
 *
 * ```
 *   event loop   idle · · · · · · │ answers, 200 ms │ answers, 90 ms │ idle · · · ·
 *   time         passes           │ 2 ms            │ 2 ms           │ passes
 * ```
 *
 * A burst of calls may keep the event loop busy for seconds. The timeout of each call would then end its wait, although the store has
 * answered. So one timer beats while calls wait. A beat that is late shows that the event loop was busy. If an answer came during the
 * last beats, the time since the beat before hardly counts. Without an answer it counts up to {@link STALL_MILLIS}. So a system that
 * gives no answers gets no more time from a busy event loop, unless that is blocked for longer. A part of it that gives none, while the
 * event loop is busy with the answers of the others, gets at most {@link MAX_LIMITS} times its limit.
 */
import { cancelTimer } from '../../core/cancel-timer.js';
import type { Clock, TimerHandle } from '../../core/clock.js';
import { type Linked, LinkedList } from '../../core/linked-list.js';
import { runInOwnContext } from '../../core/own-context.js';
import { STALL_MILLIS } from '../../core/stall.js';

/** The time between two beats, in milliseconds. */
const BEAT_MILLIS = 2;
/** A beat that is later than this shows that the event loop was busy, in milliseconds. */
const LATE_MILLIS = 2;
/** How many beats without an answer show that the event loop works on none. A burst also waits for its own requests to be sent. */
const QUIET_BEATS = 4;

/** A wait ends after this many times its limit on the clock, however busy the event loop is. */
const MAX_LIMITS = 10;

interface Wait extends Linked<Wait> {
  /** When it ends, in this time. */
  readonly due: number;
  /** When it ends at the latest, on the clock. */
  readonly latest: number;
  readonly onLimit: () => void;
  isOver: boolean;
}

/** The time of the answers to one process. Its timers are waits for an answer: to cancel one means that the answer came. */
export class StoreTime implements Clock {
  readonly #clock: Clock;
  /** A list: of a `Set` that changes all the time, V8 keeps the former items until it collects old objects. */
  readonly #waits = new LinkedList<Wait>();
  /** No wait is due before it, in this time. */
  #nextDue = Number.POSITIVE_INFINITY;
  /** No wait ends before it, on the clock. */
  #nextLatest = Number.POSITIVE_INFINITY;
  #beat: TimerHandle | undefined = undefined;
  /** When the last beat was, on the clock, and how much time had passed by then. */
  #beatAt: number;
  #passed = 0;
  /** How many beats there were since the last answer. */
  #quietBeats = QUIET_BEATS;

  /** `clock` must not throw, and never goes back. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beatAt = clock.now();
  }

  now(): number {
    const elapsed = this.#elapsed();
    return this.#passed + (this.#beat === undefined ? elapsed : Math.min(elapsed, BEAT_MILLIS));
  }

  /** Calls `onLimit` unless the wait is cancelled before; up to {@link BEAT_MILLIS} too late. */
  setTimer(onLimit: () => void, millis: number): TimerHandle {
    const latest = this.#clock.now() + MAX_LIMITS * millis;
    const due = this.now() + millis;
    const wait: Wait = { due, latest, onLimit, isOver: false, previous: null, next: null };
    this.#waits.append(wait);
    this.#noteNext(wait);
    if (this.#beat === undefined) {
      this.#advance(this.#elapsed());
      this.#startBeat();
    }
    return wait;
  }

  /** Ends a wait, because its answer came. */
  clearTimer(timer: TimerHandle): void {
    const wait = timer as Wait;
    if (wait.isOver) return;
    this.#end(wait);
    this.#quietBeats = 0;
    if (this.#waits.length > 0) return;
    this.#advance(Math.min(this.#elapsed(), BEAT_MILLIS));
    cancelTimer(this.#clock, this.#beat);
    this.#beat = undefined;
    this.#forgetNext();
  }

  #elapsed(): number {
    return this.#clock.now() - this.#beatAt;
  }

  #advance(millis: number): void {
    this.#passed += millis;
    this.#beatAt = this.#clock.now();
  }

  #startBeat(): void {
    const delay = Math.max(0, Math.min(BEAT_MILLIS, this.#nextDue - this.#passed));
    this.#beat = runInOwnContext(() => this.#clock.setTimer(() => this.#endBeat(delay), delay));
  }

  #endBeat(delay: number): void {
    const elapsed = this.#elapsed();
    const isLate = elapsed > delay + LATE_MILLIS;
    const most = this.#quietBeats++ < QUIET_BEATS ? BEAT_MILLIS : STALL_MILLIS;
    this.#advance(isLate ? Math.min(elapsed, most) : elapsed);
    for (const wait of this.#takeDue()) wait.onLimit();
    if (this.#waits.length > 0) this.#startBeat();
    else this.#beat = undefined;
  }

  #takeDue(): Wait[] {
    const [passed, now] = [this.#passed, this.#beatAt];
    if (passed < this.#nextDue && now < this.#nextLatest) return [];
    const due: Wait[] = [];
    this.#forgetNext();
    for (const wait of this.#waits) {
      if (wait.due <= passed || wait.latest <= now) due.push(wait);
      else this.#noteNext(wait);
    }
    for (const wait of due) this.#end(wait);
    return due;
  }

  #end(wait: Wait): void {
    wait.isOver = true;
    this.#waits.remove(wait);
  }

  #noteNext({ due, latest }: Wait): void {
    this.#nextDue = Math.min(this.#nextDue, due);
    this.#nextLatest = Math.min(this.#nextLatest, latest);
  }

  #forgetNext(): void {
    this.#nextDue = Number.POSITIVE_INFINITY;
    this.#nextLatest = Number.POSITIVE_INFINITY;
  }
}
