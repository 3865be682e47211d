/** Overwrites items of a view with those of another view or source. */
import { requirePlaceOfBytes } from './byte-source.js';
import { copyIn } from './copy-items.js';
import type { Format } from './format.js';
import { equalShapes, isContiguous, notOneDimensional, shapeText } from './layout.js';
import { slicedLayout } from './slice-range.js';
import { contentsOfOther, readonlyError, ViewContents } from './view-contents.js';
import { ViewReleasedError, ViewStructureError } from './view-errors.js';

/** Does what `MemoryView.assign` promises. The checks are in the order of CPython's. */
export function assignItems(
  view: ViewContents<Format>,
  from: unknown,
  start: number | undefined,
  end: number | undefined,
  step: number | undefined,
): void {
  const where = 'MemoryView.assign';
  const { region, format, layout, isReadonly } = view.open('assign');
  if (isReadonly) throw readonlyError('assign', 'Assign to the view that it was made of');
  if (layout.shape.length !== 1) {
    throw notOneDimensional('assign', layout, 'Cast the view to one dimension');
  }
  if (!(from instanceof ViewContents)) requirePlaceOfBytes(where, from);
  const source = contentsOfOther(where, from);
  if (source === undefined) {
    throw new ViewReleasedError(`${where}: the source is released. Assign before its release.`);
  }
  view.open('assign'); // A getter of the source may have released the view.
  const target = slicedLayout(where, layout, start, end, step);
  if (source.format.char !== format.char || !equalShapes(target, source)) {
    throw new ViewStructureError(
      `${where}: the target has format '${format.name}' and shape ${shapeText(target.shape)}, and the source has format '${source.format.name}' and shape ${shapeText(source.shape)}. They must be equal: slice or cast one of them.`,
    );
  }
  // `TypedArray.set` copies overlapping bytes as memmove does. The loop over a stride would read what it has written.
  const isMemmove = isContiguous(target, format.itemsize, 'C');
  copyIn(region.bytes(), target, format.itemsize, isMemmove ? source.bytes : source.bytes.slice());
}
