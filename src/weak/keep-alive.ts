/** The end of a lifetime, written down: `java.lang.ref.Reference.reachabilityFence` for JavaScript. */
import { checkArgument } from '../core/options.js';
import { aWeakKey } from '../core/weak-key.js';

/** V8 cannot leave out a look-up in it, as it could leave out an assignment that no code reads. It stays empty. */
const fence = new WeakSet<WeakKey>();

/**
 * Keeps `target` alive up to this call. V8 may collect an object as soon as no later code uses it, even in the middle of a
 * function whose variable holds it. Then its finalizer closes what the rest of the function still uses.
 *
 * O(1), some nanoseconds.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `target` cannot be referred to weakly.
 *
 * @example
 * ```ts
 * import { keepAlive } from 'tenure/weak';
 *
 * const file = { descriptor: 7 };
 * const { descriptor } = file;
 * const read = async (from: number) => `read from ${from}`;
 * const text = await read(descriptor); // Without the fence, `file` could be finalized here.
 * keepAlive(file);
 * text; // => 'read from 7'
 * ```
 */
export function keepAlive(target: WeakKey): void {
  checkArgument('keepAlive', 'target', target, aWeakKey);
  fence.has(target);
}
