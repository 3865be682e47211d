/**
 * The pause in which a failing factory is left alone. Its timer keeps the process alive only while somebody waits for its
 * end, whenever they came.
 */

import type { RunInContext } from '../../core/async-context.js';
import type { Clock, TimerHandle } from '../../core/clock.js';
import { backoffMillis } from './backoff.js';

/** What a pause needs to know. */
export interface PauseSettings {
  readonly clock: Clock;
  readonly random: () => number;
}

/** The pauses of one factory, one at a time. */
export class FactoryPause {
  readonly #settings: PauseSettings;
  readonly #runInContext: RunInContext;
  readonly #onEnd: () => void;
  #timer: TimerHandle | undefined = undefined;
  #endsAt = 0;
  #isAwaited = false;
  /** Failures before this pause, without a success in between. Those during a pause began before it, and count as one. */
  failuresInARow = 0;

  /** `onEnd` is called when a pause is over. */
  constructor(settings: PauseSettings, runInContext: RunInContext, onEnd: () => void) {
    this.#settings = settings;
    this.#runInContext = runInContext;
    this.#onEnd = onEnd;
  }

  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  /** The factory has failed. */
  failed(): void {
    if (this.isOn) return;
    const { clock, random } = this.#settings;
    this.#endsAt = clock.now() + backoffMillis(++this.failuresInARow, random);
    this.#arm();
  }

  /** The factory is well again. */
  succeeded(): void {
    this.failuresInARow = 0;
    this.cancel();
  }

  /** Ends the pause without telling anybody. */
  cancel(): void {
    if (this.#timer !== undefined) this.#settings.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Says whether anybody waits for the end of the pause. */
  setAwaited(isAwaited: boolean): void {
    if (this.#isAwaited === isAwaited) return;
    this.#isAwaited = isAwaited;
    if (!this.isOn) return;
    this.cancel();
    this.#arm();
  }

  #arm(): void {
    const { clock } = this.#settings;
    const millis = Math.max(0, this.#endsAt - clock.now());
    this.#timer = this.#runInContext(() =>
      clock.setTimer(
        () => {
          this.#timer = undefined;
          this.#onEnd();
        },
        millis,
        { background: !this.#isAwaited },
      ),
    );
  }
}
