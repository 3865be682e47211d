/** Copies items between a view, whose items may lie anywhere in its region, and bytes that follow each other. */
import { checkArgument, oneOf } from '../core/options.js';
import { isContiguous, type Layout, transposed } from './layout.js';
import type { Memory } from './region.js';

/** The order of dimensions in copied bytes: the last index fastest, the first index fastest, or as they lie in memory. */
export type ByteOrder = 'C' | 'F' | 'A';

/** Throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for anything but an order. */
export function checkOrder(order: unknown): void {
  checkArgument('MemoryView.toBytes', 'order', order, oneOf('C', 'F', 'A'));
}

/**
 * Copies the items of a layout. `bytes` are those of the region. O(items).
 *
 * The type of the result is `Uint8Array<ArrayBuffer>`, and `Uint8Array` before TypeScript 5.7, which had no type argument.
 */
export function copyOut(
  bytes: Uint8Array,
  layout: Layout,
  itemsize: number,
  order: ByteOrder,
): ReturnType<typeof Uint8Array.of> {
  const size = layout.shape.reduce((product, length) => product * length, itemsize);
  const copy = new Uint8Array(size);
  if (size === 0) return copy;
  if (isContiguous(layout, itemsize, order === 'A' ? 'C' : order)) {
    copy.set(bytes.subarray(layout.offset, layout.offset + size));
    return copy;
  }
  const isFortran = order === 'F' || (order === 'A' && isContiguous(layout, itemsize, 'F'));
  let to = 0;
  eachRun(isFortran ? transposed(layout) : layout, (from, count, stride) => {
    copyRun(bytes, from, stride, copy, to, itemsize, count, itemsize);
    to += count * itemsize;
  });
  return copy;
}

/** Overwrites the items of a layout with `packed`, in C order. `bytes` are those of the region. O(items). */
export function copyIn(
  bytes: Uint8Array,
  layout: Layout,
  itemsize: number,
  packed: Uint8Array,
): void {
  if (packed.length === 0) return;
  if (isContiguous(layout, itemsize, 'C')) {
    bytes.set(packed, layout.offset);
    return;
  }
  let from = 0;
  eachRun(layout, (to, count, stride) => {
    copyRun(packed, from, itemsize, bytes, to, stride, count, itemsize);
    from += count * itemsize;
  });
}

/**
 * Gives the bytes of all items in C order. They are not copied if they follow each other already, and cannot move. O(1) then,
 * else O(items).
 */
export function packedBytes(region: Memory, layout: Layout, itemsize: number): Uint8Array {
  const bytes = region.bytes();
  if (region.isResizable || !isContiguous(layout, itemsize, 'C')) {
    return copyOut(bytes, layout, itemsize, 'C');
  }
  const size = layout.shape.reduce((product, length) => product * length, itemsize);
  return size === 0 ? new Uint8Array() : bytes.subarray(layout.offset, layout.offset + size);
}

/** Calls `run` for each run along the last dimension, with the offset of its first item, in C order. */
function eachRun(
  { offset, shape, strides }: Layout,
  run: (offset: number, count: number, stride: number) => void,
): void {
  const last = shape.length - 1;
  const visit = (d: number, at: number): void => {
    const [length, stride] = [shape[d] as number, strides[d] as number];
    if (d === last) run(at, length, stride);
    else for (let i = 0; i < length; i++) visit(d + 1, at + i * stride);
  };
  if (last < 0) run(offset, 1, 0);
  else visit(0, offset);
}

function copyRun(
  from: Uint8Array,
  fromAt: number,
  fromStride: number,
  to: Uint8Array,
  toAt: number,
  toStride: number,
  count: number,
  itemsize: number,
): void {
  for (let i = 0; i < count; i++) {
    const source = fromAt + i * fromStride;
    const target = toAt + i * toStride;
    for (let k = 0; k < itemsize; k++) to[target + k] = from[source + k] as number;
  }
}
