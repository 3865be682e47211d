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
