import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let gc: (() => void) | undefined;

/**
 * Runs V8's full collector without a command-line flag, and the callbacks of FinalizationRegistry. It waits for a turn first:
 * a target that was dereferenced in this turn stays alive until the turn ends.
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
