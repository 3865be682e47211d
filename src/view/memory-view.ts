/**
 * Views of memory, after Python's memoryview. A view reads and writes the bytes of its source, and copies none.
 *
 * | class | views |
 * |---|---|
 * | `MemoryView` | all: what they have in common, without a field |
 * | `StridedView` | slices, and each view of one dimension that no other class fits |
 * | `NdView`, `ResizableView` | no dimension or several; a buffer that can change its length |
 * | `TypedView`, `Int32View` and others | one dimension of items that follow each other, where a typed array can read them |
 *
 * `MemoryView` has no field, because V8 records for each place in the code which kinds of objects it has met. A constructor and
 * a `slice` that all classes share would meet 13 kinds, and take 190 ns in place of 10.
 */
/// <reference lib="esnext.disposable" preserve="true" />

import type { EntryPoint } from '../core/probe.js';
import { withoutView } from '../core/without-object.js';
import { assignItems } from './assign-items.js';
import type { BytesSource } from './byte-source.js';
import { castTo } from './cast.js';
import type { Format, FormatInfo, Item } from './format.js';
import type { Layout } from './layout.js';
import type { Region } from './region.js';
import { ViewContents } from './view-contents.js';
import { ViewIterator } from './view-iterator.js';

/** The region of views. */
export type ViewRegion = Region<MemoryView>;

/**
 * A view of memory. Make one with `memoryview(source)`, and others from it with `slice`, `cast` and `toReadonly`. All of them
 * read and write the bytes of the source.
 *
 * Release a view when you are done with it, with `using` or `release()`. Every method then throws
 * {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`), except `release` and `equals`. An {@link Exporter}, and a lease of a
 * {@link BufferPool}, count the views that are not released.
 *
 * The behaviour is that of CPython 3.12. A view whose buffer was transferred or has shrunk throws {@link ViewDetachedError}
 * (`TENURE_VIEW_DETACHED`).
 *
 * @example
 * ```ts
 * import { memoryview } from 'tenure/view';
 *
 * using bytes = memoryview(new Uint8Array([1, 0, 2, 0, 3, 0]));
 * using numbers = bytes.cast('H');
 * numbers.toList(); // => [1, 2, 3]
 * numbers.set(-1, 512);
 * bytes.at(5); // => 2
 * using backwards = numbers.slice(undefined, undefined, -1);
 * [...backwards]; // => [512, 2, 1]
 * ```
 */
export abstract class MemoryView<F extends Format = Format>
  extends ViewContents<F>
  implements Disposable, Iterable<Item<F>>
{
  /** The length of the first dimension; 1 for a single item without a dimension. */
  abstract readonly length: number;

  // ── Items ──

  /**
   * Gives one item. It takes an index for each dimension. An index below 0 counts from the end. O(1).
   *
   * @throws {@link ViewRangeError} (`TENURE_VIEW_RANGE`) for an index out of bounds; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) for more or fewer indexes than dimensions; {@link InvalidArgumentError}
   * (`TENURE_INVALID_ARGUMENT`) for an index that is no integer.
   */
  abstract at(...index: number[]): Item<F>;

  /**
   * Stores one item. `index` is a number, or an array with one for each dimension. O(1).
   *
   * @throws {@link ReadonlyViewError} (`TENURE_VIEW_READONLY`) if the view is read-only; what `at` throws; then
   * {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for a value of another type, and {@link ViewRangeError}
   * (`TENURE_VIEW_RANGE`) for a value that the format cannot hold. Nothing is stored then.
   */
  abstract set(index: number | readonly number[], value: Item<F>): void;

  /** Gives the items of a view of one dimension. The iterator throws once the view is released. */
  [Symbol.iterator](): ViewIterator<F> {
    this.open('[Symbol.iterator]');
    return new ViewIterator(this, this.length);
  }

  // ── Other views of the bytes ──

  /**
   * Gives a view of some items of the first dimension, by the rules of Python's `[start:end:step]`. It shares the bytes. O(1).
   *
   * @throws {@link ViewRangeError} (`TENURE_VIEW_RANGE`) if `step` is 0; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) for a view without a dimension; {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a
   * position that is no integer.
   */
  abstract slice(start?: number, end?: number, step?: number): MemoryView<F>;

  /**
   * Gives a view of the bytes in another format, and in another shape if one is given. One of the two formats has to be `b`,
   * `B` or `c`. A cast goes from one dimension to several, or from several to one. O(dimensions).
   *
   * @throws {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for an unknown format, or if neither format is one of bytes;
   * {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) if the items do not follow each other, or do not fill the format or
   * the shape.
   */
  cast<G extends Format>(format: G, shape?: readonly number[]): MemoryView<G> {
    const { layout, format: source } = this.open('cast');
    const target = castTo(layout, source, format, shape);
    return this.derive(MemoryView.prototype.cast, target.layout, { format: target.format });
  }

  /** Gives a view of the items that refuses changes. O(1). */
  toReadonly(): MemoryView<F> {
    const { layout } = this.open('toReadonly');
    return this.derive(MemoryView.prototype.toReadonly, layout, { isReadonly: true });
  }

  /**
   * Overwrites the items of `[start:end:step]` with those of `from`, which must have the shape and the format of these items. The
   * two may overlap: the result is as if `from` had been copied first. O(items).
   *
   * @throws {@link ReadonlyViewError} (`TENURE_VIEW_READONLY`) if the view is read-only; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) if shape or format differ, or if the view has not one dimension.
   */
  assign(from: MemoryView | BytesSource, start?: number, end?: number, step?: number): void {
    assignItems(this, from, start, end, step);
  }

  // ── The end ──

  /** Ends the view. Other views of the bytes go on. A second call has no effect. O(1). */
  abstract release(): void;

  /** Calls {@link release}. */
  [Symbol.dispose](): void {
    (this ?? withoutView()).release();
  }

  // ── Inside the package ──

  /**
   * Tells the observer of the region that the caller of `entry` has made the view.
   *
   * @internal
   */
  abstract report(entry: EntryPoint): void;

  /**
   * Makes another view of the items, for the caller of `entry`.
   *
   * @internal
   */
  again(entry: EntryPoint): MemoryView<F> {
    return this.derive(entry, this.open('memoryview').layout, {});
  }

  /**
   * Makes a view of the region of this one, for the caller of `entry`.
   *
   * @internal
   */
  protected derive<G extends Format>(
    entry: EntryPoint,
    { offset, shape, strides }: Layout,
    changes: { readonly format?: FormatInfo; readonly isReadonly?: boolean },
  ): MemoryView<G> {
    const open = this.open('slice');
    const region = open.region as ViewRegion;
    const { format, isReadonly } = { ...open, ...changes };
    const [length = 1] = shape;
    const [stride = format.itemsize] = strides;
    const dims = shape.length === 1 ? null : { shape, strides };
    const view = region.makeView(region, format, offset, length, stride, dims, isReadonly);
    if (region.watch !== null) view.report(entry);
    return view as MemoryView<never>;
  }
}
