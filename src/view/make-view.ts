/** Chooses the class of a view. */
import type { FormatInfo } from './format.js';
import type { Dims } from './layout.js';
import type { MemoryView, ViewRegion } from './memory-view.js';
import { NdView } from './nd-view.js';
import { ResizableView } from './resizable-view.js';
import { StridedView } from './strided-view.js';
import { TYPED } from './typed-views.js';

/** Makes a view of the class that reads such items fastest. */
export function makeView(
  region: ViewRegion,
  format: FormatInfo,
  offset: number,
  length: number,
  stride: number,
  dims: Dims | null,
  isReadonly: boolean,
): MemoryView {
  if (dims !== null) return new NdView(region, format, offset, length, stride, dims, isReadonly);
  if (region.isResizable) {
    return new ResizableView(region, format, offset, length, stride, dims, isReadonly);
  }
  const { kind, itemsize } = format;
  const view = new StridedView(region, format, offset, length, stride, dims, isReadonly);
  const isAligned = stride === itemsize && (region.byteOffset + offset) % itemsize === 0;
  const Typed = length > 0 && isAligned ? TYPED[kind] : undefined;
  return Typed === undefined ? view : new Typed(view as StridedView<never>);
}
