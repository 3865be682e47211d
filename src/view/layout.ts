/**
 * Where the items of a view lie: the byte offset of the first item, and for each dimension its length and its stride, the bytes
 * from one item to the next. A stride is below 0 in a reversed view.
 *
 * ```
 *   offset 2, shape [2, 3], strides [8, 2], items of 2 bytes
 *
 *   bytes   0 1 │ 2 3   4 5   6 7 │ 8 9 │ 10 11  12 13  14 15 │ …
 *           ────┼───────────────────┼─────┼─────────────────────┼──
 *               │ 0,0   0,1   0,2 │     │ 1,0    1,1    1,2   │
 * ```
 */
import { ViewStructureError } from './view-errors.js';

/** The dimensions of a view. Both arrays have an entry for each dimension, and are empty for a single item. */
export interface Dims {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The dimensions of a view with the byte offset of its first item. */
export interface Layout extends Dims {
  readonly offset: number;
}

/** The most dimensions that a view can have, as in CPython. */
export const MAX_DIMENSIONS = 64;

/** Gives the number of items. */
export function itemCount({ shape }: Dims): number {
  return shape.reduce((count, length) => count * length, 1);
}

/** Gives the dimensions of items that follow each other, the last index fastest. */
export function cContiguousDims(shape: readonly number[], itemsize: number): Dims {
  const strides = new Array<number>(shape.length);
  let stride = itemsize;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d] as number;
  }
  return { shape: Object.freeze([...shape]), strides: Object.freeze(strides) };
}

/** Whether the items follow each other without a gap, the last index fastest (`'C'`) or the first (`'F'`). */
export function isContiguous(dims: Dims, itemsize: number, order: 'C' | 'F'): boolean {
  const { shape, strides } = dims;
  // CPython looks at the stride of one dimension even if it has no items, and of several only if they have some.
  if (shape.length === 1) return shape[0] === 1 || strides[0] === itemsize;
  if (itemCount(dims) === 0) return true;
  let expected = itemsize;
  for (let i = 0; i < shape.length; i++) {
    const d = order === 'C' ? shape.length - 1 - i : i;
    if (shape[d] !== 1 && strides[d] !== expected) return false;
    expected *= shape[d] as number;
  }
  return true;
}

/** Whether two views have equal shapes, up to the first dimension without items, as CPython compares them. */
export function equalShapes(a: Dims, b: Dims): boolean {
  if (a.shape.length !== b.shape.length) return false;
  for (let d = 0; d < a.shape.length; d++) {
    if (a.shape[d] !== b.shape[d]) return false;
    if (a.shape[d] === 0) return true;
  }
  return true;
}

/** Gives the layout with its dimensions in the reverse order: its C order is the F order of the given one. */
export function transposed({ offset, shape, strides }: Layout): Layout {
  return { offset, shape: shape.toReversed(), strides: strides.toReversed() };
}

/** Makes the error of an operation that works on one dimension only. */
export function notOneDimensional(
  operation: string,
  { shape }: Dims,
  advice: string,
): ViewStructureError {
  return new ViewStructureError(
    `MemoryView.${operation}: the view has shape ${shapeText(shape)}, and ${operation} takes one dimension. ${advice}.`,
  );
}

/** Gives a shape as Python prints it, such as `(3, 4)`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}
