/** What the shared level did not do. */
import { nameErrorClass, TenureError } from '../../core/errors.js';

/**
 * Given to `onError`: the shared level did not do its part for a call, which went on without it. Codes:
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
