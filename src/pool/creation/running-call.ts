/**
 * One call of the factory that has returned a promise. It has one timer, for two limits:
 *
 * ```
 *   begun ──slowAfterMillis──▶ slow ──timeoutMillis──▶ timed out ──▶ late
 * ```
 *
 * A slow call goes on, but waiters no longer count on it: the pool serves them otherwise, as far as it can.
 *
 * A timer that fires late after a stall gives the call a grace before it counts as slow, or as timed out.
 */
import { cancelTimer } from '../../core/cancel-timer.js';
import type { Clock, TimerHandle } from '../../core/clock.js';
import { graceAfter, STALL_MILLIS } from '../../core/stall.js';
import type { UsualTime } from './usual-time.js';

/** The first look for slowness if it is not known yet how long a call may take, in milliseconds. */
const FIRST_LOOK_MILLIS = 100;

/** A call of the factory, and what is told of it. */
export interface FactoryCall<R> {
  /** How long the call may take, in milliseconds; `Infinity` for no limit. */
  readonly timeoutMillis: number;
  /** The call is slow from now on (`true`), or has ended after it was slow (`false`). */
  setSlow(isSlow: boolean): void;
  succeeded(value: R): void;
  failed(error: unknown): void;
  /** The time is over. `stalledMillis` is how long the event loop was blocked at that time, 0 if it was not. */
  timedOut(stalledMillis: number): void;
  /** The call has succeeded after its time was over. */
  late?(value: R): void;
  /** The call has failed after its time was over. */
  lateFailure?(): void;
}

/** A call that has not ended. */
export class RunningCall<R> {
  readonly #call: FactoryCall<R>;
  readonly #usual: UsualTime;
  readonly #clock: Clock;
  readonly #beganAt: number;
  #isBackground: boolean;
  #isOpen = true;
  #isAbandoned = false;
  /** Whether it has taken longer than usual: waiters do not count on it. */
  isSlow = false;
  /** How late the timer was before the grace that runs now, in milliseconds; 0 without a grace. */
  #stalledMillis = 0;
  /** The time of the stalls so far, in milliseconds. */
  #lostMillis = 0;
  #timer: TimerHandle | undefined = undefined;
  #due = 0;

  /** `clock` is a guarded one. A timer in the background does not keep the process alive. */
  constructor(
    call: FactoryCall<R>,
    promise: PromiseLike<R>,
    usual: UsualTime,
    clock: Clock,
    isBackground: boolean,
  ) {
    this.#call = call;
    this.#usual = usual;
    this.#clock = clock;
    this.#isBackground = isBackground;
    this.#beganAt = clock.now();
    this.#setTimer(this.#nextLook(FIRST_LOOK_MILLIS));
    void this.#follow(promise);
  }

  /** An `await` neither throws nor ends twice, whatever the `then` of a foreign promise does. */
  async #follow(promise: PromiseLike<R>): Promise<void> {
    let value: R;
    try {
      value = await promise;
    } catch (error) {
      if (this.#end()) this.#call.failed(error);
      else this.#call.lateFailure?.();
      return;
    }
    if (!this.#end()) this.#call.late?.(value);
    else {
      this.#usual.lastMillis = this.#workMillis();
      this.#call.succeeded(value);
    }
  }

  /** No waiter needs the call any more: it does not keep the process alive, and does not count as slow. */
  abandon(): void {
    this.setBackground(true);
    if (this.isSlow) this.#call.setSlow(false);
    this.isSlow = false;
    this.#isAbandoned = true;
  }

  /** Says whether the process may end although the call goes on. */
  setBackground(isBackground: boolean): void {
    if (this.#isBackground === isBackground) return;
    this.#isBackground = isBackground;
    if (this.#timer === undefined) return;
    cancelTimer(this.#clock, this.#timer);
    this.#setTimer(this.#due);
  }

  /** How long the call took that has ended now, without the time that was lost in stalls, in milliseconds. */
  #workMillis(): number {
    const now = this.#clock.now();
    const lateness = now - this.#due;
    const lostMillis = this.#lostMillis + (lateness > STALL_MILLIS ? lateness : 0);
    return now - this.#beganAt - lostMillis;
  }

  /** When to look again: when the call becomes slow, or `unknownMillis` after its begin if that is not known, but not after the deadline. */
  #nextLook(unknownMillis: number): number {
    const deadline = this.#beganAt + this.#call.timeoutMillis;
    if (this.isSlow || this.#isAbandoned) return deadline;
    const { slowAfterMillis } = this.#usual;
    const look = slowAfterMillis === Number.POSITIVE_INFINITY ? unknownMillis : slowAfterMillis;
    return Math.min(deadline, this.#beganAt + look);
  }

  #setTimer(due: number): void {
    this.#due = due;
    if (due === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(0, due - this.#clock.now());
    const background = this.#isBackground;
    this.#timer = this.#clock.setTimer(() => this.#fired(), delay, { background });
  }

  #fired(): void {
    this.#timer = undefined;
    const { timeoutMillis } = this.#call;
    const now = Math.max(this.#clock.now(), this.#due); // The time of a user's clock may stand still.
    const isLook = this.#due < this.#beganAt + timeoutMillis;
    const limitMillis = isLook ? this.#usual.slowAfterMillis : timeoutMillis;
    const grace = graceAfter(now - this.#due, limitMillis);
    if (grace > 0 && this.#stalledMillis === 0) {
      this.#stalledMillis = now - this.#due;
      this.#lostMillis += this.#stalledMillis;
      this.#setTimer(now + grace);
    } else if (isLook) {
      this.#stalledMillis = 0;
      this.#lookForSlowness(now);
    } else {
      this.#end();
      this.#call.timedOut(this.#stalledMillis);
    }
  }

  #lookForSlowness(now: number): void {
    const age = now - this.#beganAt;
    // Rounded as in #nextLook. Otherwise the next look could be due at once, again and again.
    const isSlow = !this.#isAbandoned && now >= this.#beganAt + this.#usual.slowAfterMillis;
    if (isSlow) {
      this.isSlow = true;
      this.#setTimer(this.#nextLook(0));
      this.#call.setSlow(true);
    } else this.#setTimer(this.#nextLook(2 * age));
  }

  /** Ends the call; false if its time was over. */
  #end(): boolean {
    if (!this.#isOpen) return false;
    this.#isOpen = false;
    cancelTimer(this.#clock, this.#timer);
    this.#timer = undefined;
    if (this.isSlow) this.#call.setSlow(false);
    return true;
  }
}
