/**
 * Items of a region whose buffer can change its length. They are copied through 8 bytes of their own, so that the `DataView` calls
 * of `readItem` and `writeItem` see one class of `DataView` only. V8 reads a `DataView` of a resizable buffer ten times slower,
 * and would slow all other views down once it has seen one.
 */
import type { FormatInfo } from './format.js';
import { type AnyItem, readItem, writeItem } from './item.js';
import type { Memory } from './region.js';

const BYTES = new Uint8Array(8);
const DATA = new DataView(BYTES.buffer);

/**
 * Gives the item at a byte offset of the region.
 *
 * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the buffer is too short now.
 */
export function readResizable(region: Memory, at: number, format: FormatInfo): AnyItem {
  const bytes = region.bytes();
  for (let k = 0; k < format.itemsize; k++) BYTES[k] = bytes[at + k] as number;
  return readItem(DATA, 0, format.kind);
}

/**
 * Stores an item at a byte offset of the region.
 *
 * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the buffer is too short now; what {@link writeItem} throws.
 */
export function writeResizable(
  region: Memory,
  at: number,
  format: FormatInfo,
  value: unknown,
): void {
  const bytes = region.bytes();
  writeItem(DATA, 0, format, value);
  for (let k = 0; k < format.itemsize; k++) bytes[at + k] = BYTES[k] as number;
}
