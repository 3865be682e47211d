/** Runs V8's collector in a test, so that the death of an object can be asserted. */
import { hostGcSource, NoCollectorError } from '../core/gc-source.js';
import { runLater } from '../core/slices.js';
import { settle } from './settle.js';

const gc = hostGcSource();

/** How often to collect. An object that was promoted meanwhile may need a second collection. */
const ROUNDS = 3;

/**
 * Runs V8's full collector and the finalization callbacks that it causes. Needs no command-line flag, and works under fake
 * timers. It stops the process for milliseconds to seconds, depending on the heap.
 *
 * An object that the current function has used may stay alive until that function has returned: create it in a function of its
 * own. Rejects with {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) where the host exposes no collector.
 *
 * @example
 * ```ts
 * import { collectGarbage } from 'tenure/testing';
 *
 * const ref = (() => new WeakRef({ name: 'temporary' }))();
 * await collectGarbage();
 * ref.deref(); // => undefined
 * ```
 */
export async function collectGarbage(): Promise<void> {
  if (gc === undefined) throw new NoCollectorError('Run the test on Node.');
  for (let round = 0; round < ROUNDS; round++) {
    await settle();
    await gc.collect();
  }
  let areHandled = false; // Deaths are handled in slices, whose timers do not keep the process alive.
  runLater(() => {
    areHandled = true;
  }, undefined);
  while (!areHandled) await settle();
}
