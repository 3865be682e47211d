/** A {@link FakeClock} whose `setTimer` throws while it is switched off. */
import type { TimerHandle } from '../../src/core/clock.js';
import { FakeClock } from './fake-clock.js';

export class FailingClock extends FakeClock {
  fails = false;

  override setTimer(...args: Parameters<FakeClock['setTimer']>): TimerHandle {
    if (this.fails) throw new Error('no timer');
    return super.setTimer(...args);
  }
}
