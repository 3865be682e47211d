/** Errors of a simulated heap. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/**
 * Error for a handle that names no live node: the node was freed, or another heap made the handle. Code
 * `TENURE_STALE_HANDLE`.
 */
export class StaleHandleError extends TenureError {
  /** `handle` is the handle that the caller passed. */
  constructor(handle: unknown) {
    super(
      `The handle ${String(handle)} names no live node of this heap: the node was freed, or another heap made it. ` +
        'Hold a node with `hold` or `addRoot` for as long as its handle is used, and ask `isAlive` when in doubt.',
      { code: 'TENURE_STALE_HANDLE' },
    );
  }

  static {
    nameErrorClass(StaleHandleError, 'StaleHandleError');
  }
}

/** Error for a node that was dropped more often than it was held. Code `TENURE_NOT_HELD`. */
export class NotHeldError extends TenureError {
  /** `handle` is the handle that the caller passed. */
  constructor(handle: number) {
    super(
      `The node ${handle} is not held from outside the heap, only by edges or not at all. ` +
        'Call `drop` once for each `alloc`, `hold` and `weakref`; edges end with `unlink`, `set` and `clear`.',
      { code: 'TENURE_NOT_HELD' },
    );
  }

  static {
    nameErrorClass(NotHeldError, 'NotHeldError');
  }
}

/** Error for a heap that was disposed of. Code `TENURE_HEAP_DISPOSED`. */
export class HeapDisposedError extends TenureError {
  /** The message says what to do. */
  constructor() {
    super('This heap was disposed of. Make a new one.', { code: 'TENURE_HEAP_DISPOSED' });
  }

  static {
    nameErrorClass(HeapDisposedError, 'HeapDisposedError');
  }
}

/**
 * Error for the use of a heap from its own `trace`, which runs in the middle of an operation. Code `TENURE_HEAP_BUSY`.
 */
export class HeapBusyError extends TenureError {
  /** The message says what to do. */
  constructor() {
    super(
      'This heap is telling its `trace` of an event and cannot be used meanwhile. ' +
        'Take what you need from the event, and use the heap later.',
      { code: 'TENURE_HEAP_BUSY' },
    );
  }

  static {
    nameErrorClass(HeapBusyError, 'HeapBusyError');
  }
}

/** Error for a heap that has no slot for another node. Code `TENURE_HEAP_FULL`. */
export class HeapFullError extends TenureError {
  /** `slots` is the number of slots of a heap. */
  constructor(slots: number) {
    super(
      `The heap has used all of its ${slots} node slots. Free nodes, or share them among heaps.`,
      {
        code: 'TENURE_HEAP_FULL',
      },
    );
  }

  static {
    nameErrorClass(HeapFullError, 'HeapFullError');
  }
}
