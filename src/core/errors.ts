/**
 * Every failure that tenure reports is a `TenureError` with a stable `code`, so a caller can branch on the code
 * and a person can read the message, which says what to do.
 */

/** What a {@link TenureError} carries besides its message. */
export interface TenureErrorOptions {
  /** The stable machine-readable name of the failure, `TENURE_…`. */
  readonly code: string;
  /** The error that led to this one. */
  readonly cause?: unknown;
}

/**
 * The base of every error class in tenure.
 *
 * @example
 * ```ts
 * import { TenureError } from 'tenure';
 *
 * const error = new TenureError('Nothing was found. Create it first.', { code: 'TENURE_EXAMPLE' });
 * error.code; // => 'TENURE_EXAMPLE'
 * error.name; // => 'TenureError'
 * ```
 */
export class TenureError extends Error {
  /** The stable machine-readable name of the failure. */
  readonly code: string;

  /** The message says what happened and what to do about it. */
  constructor(message: string, options: TenureErrorOptions) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = options.code;
  }

  static {
    nameErrorClass(TenureError, 'TenureError');
  }
}

/**
 * A `TypeError` for a wrong option or argument, thrown at the call that got it.
 *
 * @example
 * ```ts
 * import { InvalidArgumentError } from 'tenure';
 *
 * const error = new InvalidArgumentError('createPool: `max` must be an integer ≥ 1, got 0.');
 * error instanceof TypeError; // => true
 * error.code; // => 'TENURE_INVALID_ARGUMENT'
 * ```
 */
export class InvalidArgumentError extends TypeError {
  /** Always `TENURE_INVALID_ARGUMENT`. */
  readonly code = 'TENURE_INVALID_ARGUMENT';

  static {
    nameErrorClass(InvalidArgumentError, 'InvalidArgumentError');
  }
}

/** Sets the name on the prototype, so that it survives minification and costs nothing per error. */
export function nameErrorClass(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', {
    value: name,
    configurable: true,
    writable: true,
  });
}

/**
 * A component got a second observer while the first was attached. Code `TENURE_ALREADY_WATCHED`.
 */
export class AlreadyWatchedError extends TenureError {
  /** `component` is what it is and what it is called: `pool "db"`. */
  constructor(component: string) {
    super(
      `${component} is watched already. Dispose of the first watch before a second watchdog takes over.`,
      { code: 'TENURE_ALREADY_WATCHED' },
    );
  }

  static {
    nameErrorClass(AlreadyWatchedError, 'AlreadyWatchedError');
  }
}
