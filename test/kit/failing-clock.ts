/**
 * A {@link FakeClock} whose `setTimer` throws while `fails` is set, and whose `clearTimer` throws while `failsToClear` is set. Its `now`
 * gives what `tell` gives while that is set.
 */
import type { TimerHandle } from '../../src/core/clock.js';
import { FakeClock } from './fake-clock.js';

export class FailingClock extends FakeClock {
  fails = false;
  failsToClear = false;
  tell: (() => unknown) | undefined = undefined;

  override now(): number {
    return (this.tell === undefined ? super.now() : this.tell()) as number;
  }

  override setTimer(...args: Parameters<FakeClock['setTimer']>): TimerHandle {
    if (this.fails) throw new Error('no timer');
    return super.setTimer(...args);
  }

  override clearTimer(timer: TimerHandle): void {
    if (this.failsToClear) throw new Error('not cleared');
    super.clearTimer(timer);
  }
}
