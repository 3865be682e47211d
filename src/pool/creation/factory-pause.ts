/**
 * The pause of a factory that fails, or whose resources break before their first loan. Its timer keeps the process alive only while a
 * caller waits for the end of the pause.
 */
import type { RunInContext } from '../../core/async-context.js';
import { cancelTimer } from '../../core/cancel-timer.js';
import type { Clock, TimerHandle } from '../../core/clock.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { backoffMillis, LONGEST_MILLIS } from './backoff.js';

/** How long a factory may answer nothing, while its callers leave, before it gets a pause, in milliseconds. */
const SILENT_MILLIS = 100;
/** Callers that leave more rarely say nothing of the factory, in milliseconds. Calls after the longest pause are not so rare. */
const RARE_MILLIS = 2 * LONGEST_MILLIS;

/** The settings that a pause depends on. */
export interface PauseSettings {
  readonly clock: Clock;
  readonly random: () => number;
}

/** The pauses of one factory, one at a time. */
export class FactoryPause {
  readonly #random: () => number;
  /** Without a pause, a factory that fails would be called without end. */
  readonly #clock: Clock;
  readonly #runInContext: RunInContext;
  readonly #onEnd: () => void;
  #timer: TimerHandle | undefined = undefined;
  #endsAt = 0;
  #isAwaited = false;
  /** When the first creation of a silence was given up by its caller, and when the last one. A success ends a silence. */
  #silence: { readonly since: number; last: number } | undefined = undefined;
  /** Whether the pause holds also if each failure goes to its caller: the server is full, or does not answer. */
  isForAll = false;
  /** Failures without a success in between. Failures during a pause count as one: their calls began before it. */
  failuresInARow = 0;
  /** Those of them that count towards `createAttempts`. */
  countedInARow = 0;

  /** Resources that broke unused, without a loan in between. */
  #breaksInARow = 0;
  #loansAtBreak = 0;
  /** Whether the pause follows on such a resource. Then a creation that succeeds does not end it: its resource may break, too. */
  #isAfterBreak = false;

  /** `onEnd` is called when a pause is over. */
  constructor(settings: PauseSettings, runInContext: RunInContext, onEnd: () => void) {
    this.#random = settings.random;
    this.#clock = guardedClock(settings.clock);
    this.#runInContext = runInContext;
    this.#onEnd = onEnd;
  }

  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins a pause after a failure, unless one is on. `isCounted` says whether it counts towards `createAttempts`. */
  failed(isCounted: boolean): void {
    this.isForAll = !isCounted;
    if (isCounted && (!this.isOn || this.countedInARow === 0)) this.countedInARow++;
    if (this.isOn) return;
    this.#isAfterBreak = false;
    this.#begin(++this.failuresInARow);
  }

  /** Whether nothing has come of the factory since a creation was given up, `SILENT_MILLIS` ago or earlier. */
  get isSilent(): boolean {
    const silence = this.#silence;
    return silence !== undefined && this.#clock.now() - silence.since >= SILENT_MILLIS;
  }

  /**
   * A creation was given up, because its caller has left. Begins a pause if the factory has answered nothing for a while. Without it, a
   * server that hangs gets a new call for each caller that leaves.
   */
  gaveUp(): void {
    const now = this.#clock.now();
    if (this.#silence === undefined || now - this.#silence.last > RARE_MILLIS) {
      this.#silence = { since: now, last: now };
    }
    this.#silence.last = now;
    if (this.isSilent) this.failed(false);
  }

  /**
   * Begins a pause after a resource that broke unused, `lifeMillis` after it was good, unless one is on. `loans` is how many there were so
   * far: a loan, or a longer life, shows that the resources are of use, and the pauses begin from the shortest again.
   */
  brokeUnused(lifeMillis: number, loans: number): void {
    if (this.isOn) return;
    if (loans !== this.#loansAtBreak || lifeMillis >= LONGEST_MILLIS) this.#breaksInARow = 0;
    this.#loansAtBreak = loans;
    this.#isAfterBreak = lifeMillis < LONGEST_MILLIS;
    if (this.#isAfterBreak) this.#begin(++this.#breaksInARow);
  }

  #begin(inARow: number): void {
    this.#endsAt = this.#clock.now() + backoffMillis(inARow, this.#random);
    this.#setTimer();
  }

  /** Ends the pause after a success, and counts failures from 0 again. */
  succeeded(): void {
    this.failuresInARow = 0;
    this.countedInARow = 0;
    this.#silence = undefined;
    if (!this.#isAfterBreak) this.cancel();
  }

  /** Ends the pause without calling `onEnd`. */
  cancel(): void {
    cancelTimer(this.#clock, this.#timer);
    this.#timer = undefined;
  }

  /** Says whether a caller waits for the end of the pause. */
  setAwaited(isAwaited: boolean): void {
    if (this.#isAwaited === isAwaited) return;
    this.#isAwaited = isAwaited;
    if (!this.isOn) return;
    this.cancel();
    this.#setTimer();
  }

  #setTimer(): void {
    const millis = Math.max(0, this.#endsAt - this.#clock.now());
    const end = (): void => {
      this.#timer = undefined;
      this.#onEnd();
    };
    this.#timer = this.#runInContext(() =>
      this.#clock.setTimer(end, millis, { background: !this.#isAwaited }),
    );
  }
}
