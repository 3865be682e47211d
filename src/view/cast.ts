/** What a view can be cast to, by the rules of CPython. */
import { checkArgument, type OptionCheck } from '../core/options.js';
import { type FormatInfo, formatInfo } from './format.js';
import {
  cContiguousDims,
  isContiguous,
  itemCount,
  type Layout,
  MAX_DIMENSIONS,
  shapeText,
} from './layout.js';
import { ViewFormatError, ViewStructureError } from './view-errors.js';

const aFormatName: OptionCheck = (value) =>
  typeof value === 'string' ? undefined : "a format, such as 'i'";

const aShape: OptionCheck = (value) =>
  value === undefined || (Array.isArray(value) && value.every(Number.isInteger))
    ? undefined
    : 'an array of integers, or undefined';

/**
 * Gives what is known of a format.
 *
 * @throws {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for an unknown format; {@link InvalidArgumentError}
 * (`TENURE_INVALID_ARGUMENT`) for a format that is no string.
 */
export function requireFormat(where: string, format: unknown): FormatInfo {
  const info = formatInfo(format);
  if (info !== undefined) return info;
  checkArgument(where, 'format', format, aFormatName);
  throw new ViewFormatError(
    `${where}: '${format}' is no format. Use one native character of ?cbBhHiIlLqQnNefd, with an optional '@' before it.`,
  );
}

/** What a cast gives. */
export interface CastResult {
  readonly format: FormatInfo;
  readonly layout: Layout;
}

/**
 * Gives the format and the layout after a cast of items of `source`. The checks are in the order of CPython's.
 *
 * @throws {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for an unknown format, or if neither format is one of bytes;
 * {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) if the items do not follow each other, or do not fill the format or the
 * shape.
 */
export function castTo(
  layout: Layout,
  source: FormatInfo,
  name: unknown,
  shape: readonly number[] | undefined,
): CastResult {
  checkArgument('MemoryView.cast', 'shape', shape, aShape);
  const found = `a view of format '${source.name}' and shape ${shapeText(layout.shape)}`;
  const wanted = `format '${String(name)}'${shape === undefined ? '' : ` and shape ${shapeText(shape)}`}`;
  const fail = (why: string) =>
    new ViewStructureError(`MemoryView.cast: cannot cast ${found} to ${wanted}: ${why}.`);
  if (!isContiguous(layout, source.itemsize, 'C')) {
    throw fail('its items do not follow each other in memory. Copy them with toBytes()');
  }
  if ((shape !== undefined || layout.shape.length !== 1) && layout.shape.includes(0)) {
    throw fail('it has a dimension of length 0');
  }
  if (shape !== undefined && shape.length > MAX_DIMENSIONS) {
    throw fail(`${shape.length} dimensions are more than ${MAX_DIMENSIONS}`);
  }
  if (shape !== undefined && shape.length !== 1 && layout.shape.length !== 1) {
    throw fail('a cast goes from one dimension to several, or from several to one. Cast twice');
  }
  const format = requireFormat('MemoryView.cast', name);
  if (!source.isByte && !format.isByte) {
    throw new ViewFormatError(
      `MemoryView.cast: cannot cast ${found} to ${wanted}: one of the formats has to be 'B', 'b' or 'c'. Cast to 'B' first.`,
    );
  }
  const nbytes = itemCount(layout) * source.itemsize;
  if (nbytes % format.itemsize !== 0) {
    throw fail(`${nbytes} bytes are no multiple of the ${format.itemsize} bytes of an item`);
  }
  const lengths = shape ?? [nbytes / format.itemsize];
  if (shape?.some((length) => length <= 0)) throw fail('each length of a shape has to be above 0');
  const result = cContiguousDims(lengths, format.itemsize);
  const size = itemCount(result) * format.itemsize;
  if (size !== nbytes) throw fail(`the shape takes ${size} bytes, and the view has ${nbytes}`);
  return { format, layout: { offset: layout.offset, ...result } };
}
