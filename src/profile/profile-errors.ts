/** Errors of profiles. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/** Error for a profile on a host that tells no memory figures. Code `TENURE_NO_MEMORY_FIGURES`. */
export class NoMemoryFiguresError extends TenureError {
  /** Says what to pass. */
  constructor() {
    super(
      'This host does not tell how much memory the process uses. Pass `memory`, a source of it.',
      {
        code: 'TENURE_NO_MEMORY_FIGURES',
      },
    );
  }

  static {
    nameErrorClass(NoMemoryFiguresError, 'NoMemoryFiguresError');
  }
}
