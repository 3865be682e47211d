import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let gc: (() => void) | undefined;

/**
 * Runs V8's full collector, without CLI flags, and lets FinalizationRegistry callbacks run. A target that the calling
 * function has dereferenced in this turn stays alive until the turn ends, hence the turn before the first collection.
 */
export async function collectGarbage(): Promise<void> {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
  }
  for (let round = 0; round < 3; round++) {
    await setImmediate();
    gc();
    await setImmediate();
  }
}
