/**
 * One timer for all deadlines of a component. It is set for the next deadline, and the component looks for the one after it when it
 * fires.
 *
 * A component whose callers hardly wait would set and clear a timer for each of them, which takes longer than the rest of a loan. So a
 * timer rests when no deadline is left, where the host allows it: it keeps neither the process nor the component alive, and serves the
 * next deadline.
 *
 * A timer that fires late after a stall gives all waits a grace before they end.
 */
import type { RunInContext } from './async-context.js';
import { cancelTimer } from './cancel-timer.js';
import type { Clock, TimerHandle } from './clock.js';
import { guardedClock } from './guarded-clock.js';
import { keepProcessAlive } from './host-timers.js';
import { graceAfter } from './stall.js';

/** The longest grace of waits, in milliseconds. Waits that begin during a grace end after it at the earliest. */
const LONGEST_GRACE_MILLIS = 250;

/** Told when a deadline is over. `stalledMillis` is how long the event loop was blocked, 0 if it was not. */
export type OnDue = (now: number, stalledMillis: number) => void;

/** What a timer calls. */
interface Alarm {
  /** Whose deadline it is; `null` while the timer rests. */
  owner: DeadlineTimer | null;
  hasFired: boolean;
}

/** The timer of one component. */
export class DeadlineTimer {
  readonly #clock: Clock;
  /** Sets the timers of deadlines that no caller can be told of. */
  readonly #guardedClock: Clock;
  readonly #runInContext: RunInContext;
  readonly #onDue: OnDue;
  #timer: TimerHandle | undefined = undefined;
  /** The clock that has set the timer. */
  #timerClock: Clock;
  #alarm: Alarm = { owner: null, hasFired: false };
  #deadline = Number.POSITIVE_INFINITY;
  /** How long the event loop was blocked when the timer fired last, in milliseconds; 0 if it was not. */
  #stalledMillis = 0;

  /** The timer is set in the context of `runInContext`, not in that of the request that happens to set it. */
  constructor(clock: Clock, runInContext: RunInContext, onDue: OnDue) {
    this.#clock = clock;
    this.#timerClock = clock;
    this.#guardedClock = guardedClock(clock);
    this.#runInContext = runInContext;
    this.#onDue = onDue;
  }

  /** Has the timer fire at `deadline` at the latest. Throws what the clock throws. O(1). */
  expect(deadline: number): void {
    const isEarlier = deadline < this.#deadline && this.#stalledMillis === 0;
    if (isEarlier || this.#mustReplace()) this.#set(deadline, this.#clock);
  }

  /** Does what {@link expect} does for callers that wait already. If the clock throws, a timer of the system takes its place. */
  expectNext(deadline: number): void {
    if (deadline < this.#deadline) this.#set(deadline, this.#guardedClock);
  }

  /** No deadline is left. */
  clear(): void {
    this.#stalledMillis = 0;
    if (this.#timer !== undefined && !this.#rest(this.#timer)) this.#cancel();
  }

  #rest(timer: TimerHandle): boolean {
    const rests = keepProcessAlive(this.#timerClock, timer, false);
    if (rests) this.#alarm.owner = null;
    return rests;
  }

  /** Wakes the timer if it rests. Gives whether it can no longer serve. */
  #mustReplace(): boolean {
    if (this.#timer === undefined || this.#alarm.owner !== null) return false;
    this.#alarm.owner = this;
    return this.#alarm.hasFired || !keepProcessAlive(this.#timerClock, this.#timer, true);
  }

  #set(deadline: number, clock: Clock): void {
    this.#cancel();
    const alarm: Alarm = { owner: this, hasFired: false };
    const fire = (): void => {
      alarm.hasFired = true;
      if (alarm.owner !== null) alarm.owner.#fired();
    };
    this.#timer = this.#runInContext(() =>
      clock.setTimer(fire, Math.max(0, deadline - clock.now())),
    );
    this.#timerClock = clock;
    this.#alarm = alarm;
    this.#deadline = deadline; // Not before: a clock that throws has set no timer for it.
  }

  #cancel(): void {
    if (this.#timer === undefined) return;
    cancelTimer(this.#timerClock, this.#timer);
    this.#alarm.owner = null; // A clock that could not cancel it may call back.
    this.#timer = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #fired(): void {
    this.#timer = undefined;
    const now = Math.max(this.#clock.now(), this.#deadline); // The time of a user's clock may stand still.
    const lateness = now - this.#deadline;
    this.#deadline = Number.POSITIVE_INFINITY;
    const grace = graceAfter(lateness, LONGEST_GRACE_MILLIS);
    if (grace > 0 && this.#stalledMillis === 0) {
      this.#stalledMillis = lateness;
      this.#set(now + grace, this.#guardedClock);
      return;
    }
    const stalledMillis = this.#stalledMillis;
    this.#stalledMillis = 0;
    this.#onDue(now, stalledMillis);
  }
}
