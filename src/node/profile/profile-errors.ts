/** Errors of heap snapshots and of the sampling profiler. */

import { nameErrorClass, TenureError } from '../../core/errors.js';
import { isError } from '../../core/is-error.js';

/**
 * Error for a snapshot that would take more memory than the caller allows. No work was done. Code
 * `TENURE_PROFILE_TOO_LARGE`.
 */
export class ProfileTooLargeError extends TenureError {
  /** Bytes that the work would take, as estimated. */
  readonly estimatedBytes: number;
  /** Bytes that it may take. */
  readonly limitBytes: number;

  /** `message` says what would take how much, and how to raise the limit. */
  constructor(message: string, estimatedBytes: number, limitBytes: number) {
    super(message, { code: 'TENURE_PROFILE_TOO_LARGE' });
    this.estimatedBytes = estimatedBytes;
    this.limitBytes = limitBytes;
  }

  static {
    nameErrorClass(ProfileTooLargeError, 'ProfileTooLargeError');
  }
}

const WRITE_AGAIN =
  'Write it again with takeSnapshot() or v8.writeHeapSnapshot(), and wait until that returns.';

/**
 * Error for a file that is no heap snapshot of V8, is cut short, or cannot be read. Code `TENURE_PROFILE_BAD_SNAPSHOT`.
 */
export class BadSnapshotError extends TenureError {
  /** `problem` says what is wrong with `file`, and `advice` what to do; `cause` is the error of the file system, if there is one. */
  constructor(file: string, problem: string, cause?: unknown, advice = WRITE_AGAIN) {
    super(`${file}: ${problem} ${advice}`, {
      code: 'TENURE_PROFILE_BAD_SNAPSHOT',
      ...(cause === undefined ? {} : { cause }),
    });
  }

  static {
    nameErrorClass(BadSnapshotError, 'BadSnapshotError');
  }
}

/**
 * Error for a snapshot file that was changed or removed after it was opened: its names can no longer be read. Code
 * `TENURE_PROFILE_SNAPSHOT_CHANGED`.
 */
export class SnapshotChangedError extends TenureError {
  /** `cause` is the error of the file system, if there is one. */
  constructor(file: string, cause?: unknown) {
    super(
      `${file} was changed or removed after openSnapshot() had read it. Names are read from the file when they are asked for: keep it until the work is done.`,
      { code: 'TENURE_PROFILE_SNAPSHOT_CHANGED', ...(cause === undefined ? {} : { cause }) },
    );
  }

  static {
    nameErrorClass(SnapshotChangedError, 'SnapshotChangedError');
  }
}

/** Error for a snapshot that could not be written. Code `TENURE_PROFILE_NOT_WRITTEN`. */
export class SnapshotNotWrittenError extends TenureError {
  /** `problem` says what has failed; `cause` is the error of the file system, if there is one. */
  constructor(file: string, problem: string, cause?: unknown) {
    super(
      `takeSnapshot: ${file} was not written. ${problem}${isError(cause) ? ` (${cause.message})` : ''}. Give a file in a folder that exists, with enough room.`,
      { code: 'TENURE_PROFILE_NOT_WRITTEN', ...(cause === undefined ? {} : { cause }) },
    );
  }

  static {
    nameErrorClass(SnapshotNotWrittenError, 'SnapshotNotWrittenError');
  }
}

/** Error for a sampling run while another one is running, or that was stopped before. Code `TENURE_PROFILE_SAMPLING`. */
export class SamplingError extends TenureError {
  /** `message` says what to do instead. */
  constructor(message: string, cause?: unknown) {
    super(message, {
      code: 'TENURE_PROFILE_SAMPLING',
      ...(cause === undefined ? {} : { cause }),
    });
  }

  static {
    nameErrorClass(SamplingError, 'SamplingError');
  }
}
