/** Where an item lies, by its indexes. */
import { InvalidArgumentError } from '../core/errors.js';
import { type Layout, shapeText } from './layout.js';
import { ViewRangeError, ViewStructureError } from './view-errors.js';

/** Whether a value is an integer or infinite. An infinite index is out of bounds, as any other too large one. */
export function isPosition(value: unknown): value is number {
  return typeof value === 'number' && (Number.isInteger(value) || Math.abs(value) === Infinity);
}

/**
 * Gives the byte offset of an item. An index below 0 counts from the end. O(dimensions).
 *
 * @throws {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) for more or fewer indexes than dimensions;
 * {@link ViewRangeError} (`TENURE_VIEW_RANGE`) for an index out of bounds; {@link InvalidArgumentError}
 * (`TENURE_INVALID_ARGUMENT`) for an index that is no integer.
 */
export function itemPosition(
  where: string,
  { offset, shape, strides }: Layout,
  indexes: readonly unknown[],
): number {
  if (indexes.length !== shape.length) {
    throw new ViewStructureError(
      `${where}: a view of shape ${shapeText(shape)} takes ${shape.length} indexes, got ${indexes.length}. Slice the first dimension with slice().`,
    );
  }
  let at = offset;
  for (const [d, index] of indexes.entries()) {
    const length = shape[d] as number;
    if (!isPosition(index)) {
      throw new InvalidArgumentError(
        `${where}: each index must be an integer, got ${typeof index === 'number' ? index : typeof index}.`,
      );
    }
    const position = index < 0 ? index + length : index;
    if (position < 0 || position >= length) {
      throw new ViewRangeError(
        `${where}: index ${index} is out of bounds on dimension ${d + 1} of shape ${shapeText(shape)}.`,
      );
    }
    at += position * (strides[d] as number);
  }
  return at;
}
