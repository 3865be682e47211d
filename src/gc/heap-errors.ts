/** What can be wrong about the use of a simulated heap. */
import { nameErrorClass, TenureError } from '../core/errors.js';

/**
 * A handle names no node that is alive: the node was freed, or another heap made it. Code `TENURE_STALE_HANDLE`.
 */
export class StaleHandleError extends TenureError {
  /** `handle` is what was given. */
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

/**
 * A node was dropped more often than it was held. Code `TENURE_NOT_HELD`.
 */
export class NotHeldError extends TenureError {
  /** `handle` is what was given. */
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

/** The heap has been disposed of. Code `TENURE_HEAP_DISPOSED`. */
export class HeapDisposedError extends TenureError {
  /** Its message says what to do. */
  constructor() {
    super('This heap was disposed of. Make a new one.', { code: 'TENURE_HEAP_DISPOSED' });
  }

  static {
    nameErrorClass(HeapDisposedError, 'HeapDisposedError');
  }
}

/**
 * The heap was used from its own `trace`, which it tells of what happens in the middle of it. Code `TENURE_HEAP_BUSY`.
 */
export class HeapBusyError extends TenureError {
  /** Its message says what to do. */
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

/** The heap has no place for another node. Code `TENURE_HEAP_FULL`. */
export class HeapFullError extends TenureError {
  /** `places` is how many there are. */
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
