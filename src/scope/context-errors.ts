/** The errors of context managers, whose body has to yield exactly once. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/** A body that ended without a yield. Code `TENURE_CONTEXT_NEVER_YIELDED`. */
export class NeverYieldedError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The body of this context manager ended without a yield. It must yield exactly once, the value to work with.',
      { code: 'TENURE_CONTEXT_NEVER_YIELDED' },
    );
  }

  static {
    nameErrorClass(NeverYieldedError, 'NeverYieldedError');
  }
}

/**
 * A body that yielded a second time. It was closed at that yield, so its `finally` blocks have run, also if they yield. Code
 * `TENURE_CONTEXT_YIELDED_TWICE`; `cause` is the error that was thrown into the body, if any.
 */
export class YieldedTwiceError extends TenureError {
  /** @internal */
  constructor(failure: { readonly cause?: unknown } = {}) {
    super(
      'The body of this context manager yielded a second time. It must yield exactly once; a loop around the yield is the usual mistake.',
      { code: 'TENURE_CONTEXT_YIELDED_TWICE', ...failure },
    );
  }

  static {
    nameErrorClass(YieldedTwiceError, 'YieldedTwiceError');
  }
}

/** A use of a context or a stack that was run, moved or disposed of before. Code `TENURE_CONTEXT_ENDED`. */
export class ContextEndedError extends TenureError {
  /** @internal */
  constructor(
    message: string = 'This context has ended, or its run() is under way; it can be run once. Call the context manager again for a new one.',
  ) {
    super(message, { code: 'TENURE_CONTEXT_ENDED' });
  }

  static {
    nameErrorClass(ContextEndedError, 'ContextEndedError');
  }
}
