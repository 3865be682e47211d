import type { FakeClock } from './fake-clock.js';
import { settle } from './settle.js';

/** How long a promise takes to settle on a fake clock, in milliseconds. Advances the clock until then. */
export async function waitOf(clock: FakeClock, promise: Promise<unknown>): Promise<number> {
  const began = clock.now();
  let isDone = false;
  const end = (): void => {
    isDone = true;
  };
  void promise.then(end, end);
  for (await settle(); !isDone; await settle()) await clock.advance(1);
  return clock.now() - began;
}
