/** Proves by V8 that an object can die: the way to see that a finalizer can ever run. */
import { type GcSource, hostGcSource, NoCollectorError } from '../core/gc-source.js';
import {
  aFunction,
  checkArgument,
  type OptionTable,
  objectWith,
  optional,
  resolveOptions,
} from '../core/options.js';
import { aWeakKey } from '../core/weak-key.js';

/** Options of {@link wasCollected}. */
export interface WasCollectedOptions {
  /**
   * The collector.
   *
   * @default V8's, which is reached without a command-line flag
   */
  readonly gcSource?: GcSource;
}

interface WasCollectedSettings {
  readonly gcSource: GcSource | undefined;
}

const OPTIONS: OptionTable<WasCollectedSettings> = { gcSource: optional(objectWith('collect')) };

/** How often to collect before an object counts as held. V8 has needed one collection, or two after an await. */
const MAX_COLLECTIONS = 6;

/**
 * Calls `make`, forgets the object that it gives, runs V8's collector, and tells whether the object has died. Use it in a test
 * of code that relies on a death: a finalizer, a weak map, a cache. If it gives `false`, something holds the object. For a
 * finalizer that is most often its own callback: it was made where a variable of the object is used.
 *
 * If `make` returns a promise, the object is what that resolves to. `make` must not keep the object in a variable outside of it.
 * A collection takes 1 to 50 ms, more on a large heap.
 *
 * Rejects with what `make` throws. Rejects with {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `make` gives no
 * object, and with {@link NoCollectorError} (`TENURE_NO_COLLECTOR`) where the host exposes no collector.
 *
 * @example
 * ```ts
 * import { finalize, wasCollected } from 'tenure/weak';
 *
 * const log: string[] = [];
 * const right = () => {
 *   const file = { path: '/tmp/1' };
 *   finalize(file, (path: string) => log.push(path), file.path);
 *   return file;
 * };
 * const wrong = () => {
 *   const file = { path: '/tmp/2' };
 *   finalize(file, () => log.push(file.path)); // The callback holds the file.
 *   return file;
 * };
 * await wasCollected(right); // => true
 * await wasCollected(wrong); // => false
 * log; // => ['/tmp/1']
 * ```
 */
export async function wasCollected(
  make: () => WeakKey | PromiseLike<WeakKey>,
  options: WasCollectedOptions = {},
): Promise<boolean> {
  checkArgument('wasCollected', 'make', make, aFunction);
  const { gcSource = hostGcSource() } = resolveOptions<WasCollectedSettings>(
    'wasCollected',
    options,
    OPTIONS,
  );
  if (gcSource === undefined) {
    throw new NoCollectorError('wasCollected: give a `gcSource`, or run the test on Node.');
  }
  const made = await weakly(make);
  for (let round = 0; round < MAX_COLLECTIONS; round++) {
    await gcSource.collect();
    if (made.deref() === undefined) return true;
  }
  return false;
}

/** A function of its own, so that no frame of the caller holds the object. */
async function weakly(make: () => WeakKey | PromiseLike<WeakKey>): Promise<WeakRef<WeakKey>> {
  const made = await make();
  checkArgument('wasCollected', 'make()', made, aWeakKey);
  return new WeakRef(made);
}
