/** The error that a process gets for a load that has failed in another process. */
import { nameErrorClass, TenureError } from '../../core/errors.js';
import type { SharedFailure } from './envelope.js';

/**
 * A load failed in another process, and the failure is remembered for `negativeTtl`. Its `cause` has the name, the message and the
 * code of the original error. Code: `TENURE_SHARED_LOAD`.
 *
 * @example
 * ```ts
 * import Keyv from 'keyv';
 * import { memoize } from 'tenure/memoize';
 * import { sharedCache } from 'tenure/memoize/shared';
 *
 * const store = new Keyv();
 * const load = async (_: number): Promise<string> => Promise.reject(new Error('no such user'));
 * const options = { name: 'account', negativeTtl: 5_000, shared: sharedCache({ store }) };
 * const [first, second] = [memoize(load, options), memoize(load, options)];
 * await first(7).catch((error) => error.message); // => 'no such user'
 * await first.flush();
 * await second(7).catch((error) => [error.code, error.cause.message]); // => ['TENURE_SHARED_LOAD', 'no such user']
 * ```
 */
export class SharedLoadError extends TenureError {
  /** @internal */
  constructor(cache: string, { name, message, code }: SharedFailure) {
    const cause = Object.assign(new Error(message), { name }, code === undefined ? {} : { code });
    super(`A load of the cache '${cache}' failed in another process: ${message}`, {
      code: 'TENURE_SHARED_LOAD',
      cause,
    });
  }

  static {
    nameErrorClass(SharedLoadError, 'SharedLoadError');
  }
}
