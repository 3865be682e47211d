/**
 * The base classes of tenure's errors. Each error has a stable `code` for the caller to branch on, and a message that tells a
 * person what to do.
 */

/** Options of a {@link TenureError}. */
export interface TenureErrorOptions {
  /** The stable name of the failure for programs, `TENURE_…`. */
  readonly code: string;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/**
 * The base class of tenure's errors.
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
  /** The stable name of the failure for programs. */
  readonly code: string;

  /** `message` says what happened and what to do about it. */
  constructor(message: string, options: TenureErrorOptions) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = options.code;
  }

  static {
    nameErrorClass(TenureError, 'TenureError');
  }
}

/**
 * A `TypeError` for a wrong option or argument, thrown by the call that was given it. It is no {@link TenureError}: callers expect a
 * `TypeError` for a mistake in the program, as the platform's own functions throw it.
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

/** Sets the name of an error class on its prototype. It survives minification there, and costs nothing per error. */
export function nameErrorClass(errorClass: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(errorClass.prototype, 'name', {
    value: name,
    configurable: true,
    writable: true,
  });
}

/** A second observer for a component while the first is attached. Code `TENURE_ALREADY_WATCHED`. */
export class AlreadyWatchedError extends TenureError {
  /** `component` is the kind and the name of the component: `pool "db"`. */
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
