/** The errors of RefCounted and RefCountedMap. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/** An `acquire` after or during `close`. Code `TENURE_REF_COUNTED_CLOSED`. */
export class RefCountedClosedError extends TenureError {
  /** @internal */
  constructor(name: string) {
    super(
      `${name} is closed and gives no more leases. Acquire before close(), or make a new one.`,
      {
        code: 'TENURE_REF_COUNTED_CLOSED',
      },
    );
  }

  static {
    nameErrorClass(RefCountedClosedError, 'RefCountedClosedError');
  }
}

/** A `create` that waits for the very value that it creates. Code `TENURE_REF_COUNTED_REENTRANT`. */
export class RefCountedReentrantError extends TenureError {
  /** @internal */
  constructor(name: string) {
    super(
      `${name} waits in its create() for a lease on the value that is being created, which would never come. Hand the value on instead of acquiring it.`,
      { code: 'TENURE_REF_COUNTED_REENTRANT' },
    );
  }

  static {
    nameErrorClass(RefCountedReentrantError, 'RefCountedReentrantError');
  }
}

/**
 * An `acquire` that got no value within `acquireTimeoutMillis`, or before `createTimeoutMillis` were over. Code
 * `TENURE_REF_COUNTED_TIMEOUT`. The message says what it waited for.
 */
export class RefCountedTimeoutError extends TenureError {
  /** @internal */
  constructor(name: string, timeoutMillis: number, isCreating: boolean) {
    super(
      `${name} gave no value within ${timeoutMillis} ms (${isCreating ? 'waiting for create()' : 'waiting until another value has ended'}). ${isCreating ? 'See whether `create` is slow, or awaits a value whose `create` awaits this one.' : 'See whether `dispose` is slow or awaits an `acquire`, and whether each lease is released.'}`,
      { code: 'TENURE_REF_COUNTED_TIMEOUT' },
    );
  }

  static {
    nameErrorClass(RefCountedTimeoutError, 'RefCountedTimeoutError');
  }
}

/** An `acquire` of a new key while `capacity` keys are in use. Code `TENURE_REF_COUNTED_MAP_FULL`. */
export class RefCountedMapFullError extends TenureError {
  /** @internal */
  constructor(name: string, capacity: number) {
    super(
      `${name} is full: its \`capacity\` is ${capacity}, and each value is in use. Release one, or raise \`capacity\`.`,
      { code: 'TENURE_REF_COUNTED_MAP_FULL' },
    );
  }

  static {
    nameErrorClass(RefCountedMapFullError, 'RefCountedMapFullError');
  }
}
