/** The items that a slice takes, by the rules of Python's `slice.indices`. */
import { checkArgument, type OptionCheck } from '../core/options.js';
import { isPosition } from './item-position.js';
import type { Layout } from './layout.js';
import { ViewRangeError, ViewStructureError } from './view-errors.js';

/** The items of a slice: `count` of them, from `start` on, `step` apart. */
export interface SliceRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

const aPosition: OptionCheck = (value) =>
  value === undefined || isPosition(value) ? undefined : 'an integer or undefined';

const aStep: OptionCheck = (value) =>
  Number.isSafeInteger(value) ? undefined : 'an integer other than 0, or undefined';

/**
 * Gives the items that `start`, `end` and `step` take of `length` items. A position below 0 counts from the end. A position
 * beyond either end is moved to it.
 *
 * @throws {@link ViewRangeError} (`TENURE_VIEW_RANGE`) if `step` is 0; {@link InvalidArgumentError}
 * (`TENURE_INVALID_ARGUMENT`) for a position that is no integer.
 */
export function sliceRange(
  where: string,
  length: number,
  start: number | undefined,
  end: number | undefined,
  step: number | undefined = 1,
): SliceRange {
  checkArgument(where, 'start', start, aPosition);
  checkArgument(where, 'end', end, aPosition);
  checkArgument(where, 'step', step, aStep);
  if (step === 0) {
    throw new ViewRangeError(
      `${where}: \`step\` is 0. Use 1 for every item, or -1 to go backwards.`,
    );
  }
  const isForward = step > 0;
  const lowest = isForward ? 0 : -1;
  const highest = isForward ? length : length - 1;
  const first = clamped(start ?? (isForward ? 0 : length - 1), start !== undefined);
  const last = clamped(end ?? (isForward ? length : -1), end !== undefined);
  const distance = isForward ? last - first : first - last;
  const count = distance <= 0 ? 0 : Math.floor((distance - 1) / Math.abs(step)) + 1;
  return { start: first, step, count };

  function clamped(position: number, isGiven: boolean): number {
    const counted = isGiven && position < 0 ? position + length : position;
    return Math.min(Math.max(counted, lowest), highest);
  }
}

/**
 * Gives the layout of a slice of the first dimension. O(dimensions).
 *
 * @throws {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) without a dimension; what {@link sliceRange} throws.
 */
export function slicedLayout(
  where: string,
  layout: Layout,
  start: number | undefined,
  end: number | undefined,
  step: number | undefined,
): Layout {
  const [length, ...lengths] = layout.shape;
  const [stride = 0, ...strides] = layout.strides;
  if (length === undefined) {
    throw new ViewStructureError(
      `${where}: the view is a single item without a dimension. Use at() and set([], value).`,
    );
  }
  const range = sliceRange(where, length, start, end, step);
  return {
    offset: layout.offset + range.start * stride,
    shape: Object.freeze([range.count, ...lengths]),
    strides: Object.freeze([stride * range.step, ...strides]),
  };
}
