/** The error of the shared level. */
import { nameErrorClass, TenureError } from '../../core/errors.js';

/**
 * Given to `onError` when the shared level could not be used for a call. The call went on without it. Its code is
 * `TENURE_SHARED_STORE`.
 */
export class SharedStoreError extends TenureError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_SHARED_STORE' });
  }

  static {
    nameErrorClass(SharedStoreError, 'SharedStoreError');
  }
}

/** The error of a token that is not read back after it was written. */
export function notKept(): SharedStoreError {
  return new SharedStoreError(
    'The store did not keep a token: no result is shared, invalidations are tried again. Does it refuse writes, or ' +
      'give back something else than was written?',
  );
}
