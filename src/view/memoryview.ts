/** Makes views, after Python's builtin of this name. */
import { type BytesSource, exportedRegion, requirePlaceOfBytes } from './byte-source.js';
import { requireFormat } from './cast.js';
import { BYTES, type Format } from './format.js';
import { lentRegion } from './lent-buffers.js';
import { makeView } from './make-view.js';
import { MemoryView, type ViewRegion } from './memory-view.js';
import { Region } from './region.js';
import { ViewStructureError } from './view-errors.js';

/** Makes another view of the items of a view. */
export function memoryview<F extends Format>(source: MemoryView<F>): MemoryView<F>;
/**
 * Makes a view of the bytes of a typed array, a Buffer, a DataView, an ArrayBuffer, a SharedArrayBuffer or an
 * {@link Exporter}. It copies nothing.
 */
export function memoryview(source: BytesSource): MemoryView<'B'>;
/**
 * Makes a view of bytes as items of `format`; `'B'` by default, also for the typed arrays of other items. O(1).
 *
 * A resizable buffer is viewed in its present length. Its items take twenty times as long to read.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a source without bytes; {@link ViewFormatError}
 * (`TENURE_VIEW_FORMAT`) for an unknown format; {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) if the bytes are no whole
 * number of items; {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) for a buffer that was transferred;
 * {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) for a released view, or for bytes of a lease that has ended.
 *
 * @example
 * ```ts
 * import { memoryview } from 'tenure/view';
 *
 * const samples = new Int16Array([1, -2, 3, -4]);
 * using view = memoryview(samples, 'h');
 * view.length; // => 4
 * using right = view.slice(1, undefined, 2); // every second sample, not copied
 * right.toList(); // => [-2, -4]
 * right.set(0, 7);
 * samples[1]; // => 7
 * ```
 */
export function memoryview<F extends Format>(source: BytesSource, format: F): MemoryView<F>;
export function memoryview(source: BytesSource | MemoryView, format?: Format): MemoryView {
  if (source instanceof MemoryView) {
    return format === undefined ? source.again(memoryview) : source.cast(format);
  }
  const info = format === undefined ? BYTES : requireFormat('memoryview', format);
  const { region, offset, byteLength } = placeIn(source);
  if (byteLength % info.itemsize !== 0) {
    throw new ViewStructureError(
      `memoryview: ${byteLength} bytes are no multiple of the ${info.itemsize} bytes of an item of format '${info.name}'. View the bytes, and cast a slice of them.`,
    );
  }
  const length = byteLength / info.itemsize;
  const view = makeView(region, info, offset, length, info.itemsize, null, false);
  if (region.watch !== null) view.report(memoryview);
  return view;
}

interface PlaceInRegion {
  readonly region: ViewRegion;
  /** From the start of the region, in bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

function placeIn(source: BytesSource): PlaceInRegion {
  const { buffer, byteOffset, byteLength } = requirePlaceOfBytes('memoryview', source);
  if (exportedRegion in source) {
    return { region: source[exportedRegion]() as ViewRegion, offset: 0, byteLength };
  }
  const lent = lentRegion(buffer, byteOffset, byteLength);
  return lent === undefined
    ? { region: new Region(buffer, byteOffset, byteLength, makeView), offset: 0, byteLength }
    : { region: lent, offset: byteOffset - lent.byteOffset, byteLength };
}
