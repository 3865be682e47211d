import { collectGarbage } from './collect-garbage.js';
import { until } from './until.js';

/** Waits until V8 has collected the targets. A watchdog lets go of a lease up to 200 ms after it was taken. */
export function untilCollected(...refs: readonly WeakRef<WeakKey>[]): Promise<void> {
  return until(async () => {
    await collectGarbage();
    return refs.every((ref) => ref.deref() === undefined);
  });
}
