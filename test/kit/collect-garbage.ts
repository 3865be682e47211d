import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { runLater } from '../../src/core/slices.js';

let gc: (() => void) | undefined;

/**
 * Runs V8's full collector without a command-line flag, and the callbacks of FinalizationRegistry. It waits for a turn first: a
 * target that was dereferenced in this turn stays alive until the turn ends. Thousands of deaths may take more than one call.
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
  await new Promise<void>((resolve) => runLater(resolve, undefined)); // Deaths are handled in slices.
}
