/** What a view tells of its memory, and what it makes copies of. Everything here works in any number of dimensions. */
import { nameClass } from '../core/class-name.js';
import { bytesAt, placeOfBytes } from './byte-source.js';
import { equalItems, type ItemList, listOf, type PackedItems } from './compare-items.js';
import { type ByteOrder, checkOrder, copyOut, packedBytes } from './copy-items.js';
import { BYTES, type Format, type FormatInfo } from './format.js';
import { hexOf } from './hex.js';
import {
  type Dims,
  equalShapes,
  isContiguous,
  itemCount,
  type Layout,
  shapeText,
} from './layout.js';
import type { Memory } from './region.js';
import { ReadonlyViewError, ViewStructureError } from './view-errors.js';

/** A view that is not released. */
export interface OpenView {
  readonly region: Memory;
  readonly format: FormatInfo;
  readonly layout: Layout;
  readonly isReadonly: boolean;
}

/** Items of a view or of another source of bytes: their shape, and their bytes in C order. */
export type Contents = PackedItems & Dims;

/** The part of a view that reads its memory as a whole. */
export abstract class ViewContents<F extends Format> {
  /** @internal */
  abstract readonly isReleased: boolean;

  /**
   * Throws if the view is released.
   *
   * @internal
   */
  abstract open(operation: string): OpenView;

  /**
   * Gives the items; `undefined` if the view is released.
   *
   * @internal
   */
  contents(operation: string): Contents | undefined {
    return this.isReleased ? undefined : contentsOf(this.open(operation));
  }

  /** The format of an item, as it was given to `cast`; `'B'` at first. */
  get format(): F {
    return this.open('format').format.name as F;
  }

  /** The size of an item, in bytes. */
  get itemsize(): number {
    return this.open('itemsize').format.itemsize;
  }

  /** The number of dimensions, from 0 to 64. */
  get ndim(): number {
    return this.open('ndim').layout.shape.length;
  }

  /** The size of all items, in bytes. */
  get nbytes(): number {
    const { layout, format } = this.open('nbytes');
    return itemCount(layout) * format.itemsize;
  }

  /** The length of each dimension. Frozen. */
  get shape(): readonly number[] {
    return this.open('shape').layout.shape;
  }

  /** For each dimension, the bytes from one item to the next; below 0 in a reversed view. Frozen. */
  get strides(): readonly number[] {
    return this.open('strides').layout.strides;
  }

  /** Whether the view refuses changes. Other views of the bytes may still change them. */
  get readonly(): boolean {
    return this.open('readonly').isReadonly;
  }

  /** Whether the items follow each other in memory, in C order or in Fortran order. */
  get contiguous(): boolean {
    return this.cContiguous || this.fContiguous;
  }

  /** Whether the items follow each other in memory, the last index fastest. */
  get cContiguous(): boolean {
    const { layout, format } = this.open('cContiguous');
    return isContiguous(layout, format.itemsize, 'C');
  }

  /** Whether the items follow each other in memory, the first index fastest. */
  get fContiguous(): boolean {
    const { layout, format } = this.open('fContiguous');
    return isContiguous(layout, format.itemsize, 'F');
  }

  /**
   * Gives a copy of the items as bytes: in C order (the last index fastest), in Fortran order `'F'` (the first index fastest),
   * or with `'A'` in Fortran order only if the items lie so in memory. O(items).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for another order.
   */
  toBytes(order: ByteOrder = 'C'): ReturnType<typeof Uint8Array.of> {
    checkOrder(order);
    const { region, layout, format } = this.open('toBytes');
    return copyOut(region.bytes(), layout, format.itemsize, order);
  }

  /** Gives a copy of the items as nested arrays, one level for each dimension; one item for a view without any. O(items). */
  toList(): ItemList {
    const contents = contentsOf(this.open('toList'));
    return listOf(contents, contents.shape);
  }

  /**
   * Gives the bytes of the items as hexadecimal digits. `separator` stands between groups of `bytesPerSep` bytes, counted from
   * the right; from the left if `bytesPerSep` is below 0. O(bytes).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a separator that is not one ASCII character.
   */
  hex(separator?: string, bytesPerSep?: number): string {
    return hexOf(contentsOf(this.open('hex')).bytes, separator, bytesPerSep);
  }

  /**
   * Whether `other` is a view or has bytes, with an equal shape and equal items. Items of two formats are compared by their
   * values: 1 equals 1.0 and true. NaN equals nothing. A released view equals only itself. O(items).
   */
  equals(other: unknown): boolean {
    if (this.isReleased) return this === other;
    const theirs = contentsOfOther('MemoryView.equals', other);
    if (theirs === undefined) return false;
    const ours = this.open('equals');
    return equalShapes(ours.layout, theirs) && equalItems(contentsOf(ours), theirs);
  }

  /**
   * Gives the bytes of the items without copying them, for a file or a socket. Keep the array no longer than the view: no
   * count and no check follows it. O(1).
   *
   * @throws {@link ReadonlyViewError} (`TENURE_VIEW_READONLY`) for a read-only view, which the array could change;
   * {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) if the items do not follow each other.
   */
  bytes(): Uint8Array {
    const { region, layout, format, isReadonly } = this.open('bytes');
    if (isReadonly) throw readonlyError('bytes', 'Copy the bytes with toBytes()');
    if (!this.contiguous) {
      throw new ViewStructureError(
        `MemoryView.bytes: the items of a view of format '${format.name}', shape ${shapeText(layout.shape)} and strides ${shapeText(layout.strides)} do not follow each other. Copy them with toBytes().`,
      );
    }
    const size = itemCount(layout) * format.itemsize;
    const bytes = region.bytes();
    return size === 0 ? bytes.subarray(0, 0) : bytes.subarray(layout.offset, layout.offset + size);
  }

  static {
    Object.defineProperty(ViewContents.prototype, Symbol.toStringTag, {
      value: 'MemoryView',
      configurable: true,
    });
  }

  static {
    nameClass(ViewContents.prototype, 'a MemoryView');
  }
}

/** Gives the items of a view, its bytes not copied if they follow each other. */
function contentsOf({ region, format, layout }: OpenView): Contents {
  const { shape, strides } = layout;
  return { bytes: packedBytes(region, layout, format.itemsize), format, shape, strides };
}

/** Gives the items of a view that is not released, or the bytes of another source; `undefined` for anything else. */
export function contentsOfOther(where: string, source: unknown): Contents | undefined {
  if (source instanceof ViewContents) return source.contents(where);
  const place = placeOfBytes(source);
  if (place === undefined) return undefined;
  const bytes = bytesAt(place);
  return { bytes, format: BYTES, shape: [bytes.length], strides: [1] };
}

/** Makes the error of a change to a read-only view. */
export function readonlyError(operation: string, advice: string): ReadonlyViewError {
  return new ReadonlyViewError(`MemoryView.${operation}: the view is read-only. ${advice}.`);
}
