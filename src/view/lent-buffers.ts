/**
 * Finds the region of bytes that a `BufferPool` has lent, so that a view of a lease's bytes counts as a view of the lease. The
 * buffers are held weakly, and a buffer that is in no pool costs one look-up.
 */
import type { ViewRegion } from './memory-view.js';

/** Lends parts of one buffer. */
export interface BufferLender {
  /**
   * Gives the region of the part with these bytes; `undefined` if they are not within one part.
   *
   * @throws {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) if the part is not lent.
   */
  regionAt(byteOffset: number, byteLength: number): ViewRegion | undefined;
}

const lenders = new WeakMap<ArrayBufferLike, BufferLender>();

/** Makes `lender` answer for the bytes of `buffer`. */
export function registerLender(buffer: ArrayBufferLike, lender: BufferLender): void {
  lenders.set(buffer, lender);
}

/** Gives the region that these bytes are lent with; `undefined` if no pool lends them. */
export function lentRegion(
  buffer: ArrayBufferLike,
  byteOffset: number,
  byteLength: number,
): ViewRegion | undefined {
  return lenders.get(buffer)?.regionAt(byteOffset, byteLength);
}
