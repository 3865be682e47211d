/**
 * Handles: how the outside names a node of a simulated heap. A handle is the node's index plus, in the bits above the
 * 32nd, how often that index was used before. A place that was never reused has a handle equal to its index, which
 * engines keep as a small integer.
 */
import { nameErrorClass, TenureError } from '../core/errors.js';

declare const handleBrand: unique symbol;

/**
 * Names one node of one heap. Opaque: compare handles with `===`, and give them back to the heap that made them.
 */
export type Handle = number & {
  /** Keeps plain numbers from being taken for handles; exists for the compiler only. */
  readonly [handleBrand]: true;
};

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

const USES = 2 ** 32;

/** The handle of the node that is at `index` for the `reuse`th time. */
export function makeHandle(index: number, reuse: number): Handle {
  return (reuse === 0 ? index : reuse * USES + index) as Handle;
}

/** Where the node is. */
export function indexOfHandle(handle: Handle): number {
  return handle >>> 0;
}
