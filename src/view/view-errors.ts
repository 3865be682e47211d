/** The errors of views and of buffer pools, a class for each failure. Each message says what was found and what to do. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/** The base of every error that a view or a buffer pool makes. */
export class ViewError extends TenureError {
  static {
    nameErrorClass(ViewError, 'ViewError');
  }
}

/**
 * A view or a lease was used after its release. Code `TENURE_VIEW_RELEASED`. CPython: ValueError, "operation forbidden on
 * released memoryview object".
 */
export class ViewReleasedError extends ViewError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_VIEW_RELEASED' });
  }

  static {
    nameErrorClass(ViewReleasedError, 'ViewReleasedError');
  }
}

/**
 * Memory cannot be resized or given back, because views of it are alive. Code `TENURE_VIEW_EXPORTED`. CPython: BufferError.
 */
export class ViewExportedError extends ViewError {
  /** How many views are alive. */
  readonly exports: number;

  /** @internal */
  constructor(message: string, exports: number) {
    super(message, { code: 'TENURE_VIEW_EXPORTED' });
    this.exports = exports;
  }

  static {
    nameErrorClass(ViewExportedError, 'ViewExportedError');
  }
}

/** A read-only view was to be changed. Code `TENURE_VIEW_READONLY`. CPython: TypeError. */
export class ReadonlyViewError extends ViewError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_VIEW_READONLY' });
  }

  static {
    nameErrorClass(ReadonlyViewError, 'ReadonlyViewError');
  }
}

/**
 * The shape of a view does not fit the operation. Code `TENURE_VIEW_STRUCTURE`. CPython: TypeError, ValueError or
 * NotImplementedError.
 */
export class ViewStructureError extends ViewError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_VIEW_STRUCTURE' });
  }

  static {
    nameErrorClass(ViewStructureError, 'ViewStructureError');
  }
}

/**
 * A format is unknown, cannot be cast to, or cannot store a value of that type. Code `TENURE_VIEW_FORMAT`. CPython: TypeError
 * or ValueError.
 */
export class ViewFormatError extends ViewError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_VIEW_FORMAT' });
  }

  static {
    nameErrorClass(ViewFormatError, 'ViewFormatError');
  }
}

/**
 * An index is out of bounds, or a value is out of the range of the format. Code `TENURE_VIEW_RANGE`. CPython: IndexError or
 * ValueError.
 */
export class ViewRangeError extends ViewError {
  /** @internal */
  constructor(message: string) {
    super(message, { code: 'TENURE_VIEW_RANGE' });
  }

  static {
    nameErrorClass(ViewRangeError, 'ViewRangeError');
  }
}

/**
 * The memory of a view is gone: its buffer was transferred to another owner, or has shrunk below the end of the view. Code
 * `TENURE_VIEW_DETACHED`. CPython has no such case, because an export locks the memory.
 */
export class ViewDetachedError extends ViewError {
  /** @internal */
  constructor(message: string, cause: unknown) {
    super(message, { code: 'TENURE_VIEW_DETACHED', cause });
  }

  static {
    nameErrorClass(ViewDetachedError, 'ViewDetachedError');
  }
}
