/** Fails a piece of a test that leaks, with any test runner. */
import { notGenerator } from '../core/not-generator.js';
import { aFunction, checkArgument } from '../core/options.js';
import { leakError, leakNote } from './leak-error.js';
import { type LeakTestOptions, resolveLeakTestOptions } from './leak-test-options.js';
import { testWatch } from './test-watch.js';

/**
 * Calls `body`, and rejects if loans that it took are still out afterwards: leases of a pool, of a shared value, of a cached value,
 * views. Gives what `body` gives. It watches the components that are created from the first call on, and those of `watch`.
 *
 * Rejects with {@link LeaksFoundError} (`TENURE_LEAKS_FOUND`), whose message and stack name the line that took the loan. If `body`
 * throws, it rejects with that error, and prints the leaks.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, and for a body that is no
 * function or gives a generator.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 * import { expectNoLeaks } from 'tenure/testing';
 *
 * await expectNoLeaks(async () => {
 *   await using pool = createPool({ create: () => ({}), destroy: () => {} });
 *   return pool.use(() => 'rows');
 * }); // => 'rows'
 * ```
 */
export async function expectNoLeaks<T>(
  body: () => T | PromiseLike<T>,
  options: LeakTestOptions = {},
): Promise<T> {
  checkArgument('expectNoLeaks', 'body', body, aFunction);
  const settings = resolveLeakTestOptions('expectNoLeaks', options);
  const watch = testWatch();
  watch.watch(settings.watch);
  const name = body.name === '' ? 'expectNoLeaks' : body.name;
  const call = (): T | PromiseLike<T> => notGenerator('expectNoLeaks', body());
  const { returned, failure, leaks } = await watch.run(name, call, settings);
  if (failure !== undefined) {
    if (leaks.length > 0) console.error(leakNote(name, leaks));
    throw failure.error;
  }
  if (leaks.length > 0) throw leakError(leaks);
  return returned as T;
}
