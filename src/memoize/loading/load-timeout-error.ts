/** The error of a load that took too long. */
import { nameErrorClass, TenureError } from '../../core/errors.js';

/**
 * A load did not end within the `hard` limit of `loadTimeoutMillis`, and there was no stale result. The load's signal has
 * aborted, and the next call begins a new load. Code: `TENURE_LOAD_TIMEOUT`.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 *
 * const hung = memoize((_: string) => new Promise<string>(() => {}), { loadTimeoutMillis: 5 });
 * await hung('a').catch((error) => error.code); // => 'TENURE_LOAD_TIMEOUT'
 * ```
 */
export class LoadTimeoutError extends TenureError {
  /** @internal */
  constructor(cache: string, millis: number) {
    super(
      `A load of the cache '${cache}' did not end within ${millis} ms. Find out what it waits for, or raise \`loadTimeoutMillis\`.`,
      { code: 'TENURE_LOAD_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(LoadTimeoutError, 'LoadTimeoutError');
  }
}
