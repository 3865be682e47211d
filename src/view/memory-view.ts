/**
 * Views of memory, after Python's memoryview. A view reads and writes the bytes of its source, and copies none.
 *
 * | class | views |
 * |---|---|
 * | `MemoryView` | slices, and each view of one dimension that no other class fits |
 * | `Int32View` and others (typed-views.ts) | one dimension of items that follow each other, where a typed array can read them |
 * | `NdView` (nd-view.ts) | no dimension, or several |
 *
 * A view with a `#fastLength` above 0 reads an item with one comparison and one call of `DataView`. Every other view has a
 * `#fastLength` of 0, so each access takes the slow path. That path finds the reason: a released view, an index out of bounds,
 * an index that counts from the end, a resizable buffer.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { EntryPoint, NodeId } from '../core/probe.js';
import { assignItems } from './assign-items.js';
import type { BytesSource } from './byte-source.js';
import { castTo } from './cast.js';
import type { Format, FormatInfo, Item } from './format.js';
import { type AnyItem, readItem, writeItem } from './item.js';
import { itemPosition } from './item-position.js';
import { type Dims, type Layout, notOneDimensional } from './layout.js';
import type { ExportWatch, Region } from './region.js';
import { readResizable, writeResizable } from './resizable-items.js';
import { slicedLayout } from './slice-range.js';
import { type OpenView, readonlyError, ViewContents } from './view-contents.js';
import { ViewReleasedError } from './view-errors.js';
import { ViewIterator } from './view-iterator.js';

/** The region of views. */
export type ViewRegion = Region<MemoryView>;

/** What an observer was told of a view: the end is told to the same observer. */
interface ExportReport {
  readonly watch: ExportWatch;
  readonly node: NodeId;
}

/** The data of a view that must not read any: a released one, or one of a resizable buffer. */
const NO_DATA = new DataView(new ArrayBuffer(0));

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
export class MemoryView<F extends Format = Format>
  extends ViewContents<F>
  implements Disposable, Iterable<Item<F>>
{
  #region: ViewRegion | null;
  #data: DataView;
  #fastLength: number;
  readonly #format: FormatInfo;
  readonly #offset: number;
  readonly #length: number;
  readonly #stride: number;
  readonly #dims: Dims | null;
  readonly #isReadonly: boolean;
  #report: ExportReport | null;

  /** @internal */
  constructor(
    region: ViewRegion,
    format: FormatInfo,
    offset: number,
    length: number,
    stride: number,
    dims: Dims | null,
    isReadonly: boolean,
  ) {
    super();
    this.#region = region;
    this.#data = region.isResizable ? NO_DATA : region.data;
    this.#fastLength = dims !== null || region.isResizable ? 0 : length;
    this.#format = format;
    this.#offset = offset;
    this.#length = length;
    this.#stride = stride;
    this.#dims = dims;
    this.#isReadonly = isReadonly;
    this.#report = null;
    region.exports++;
  }

  /** The length of the first dimension; 1 for a single item without a dimension. */
  get length(): number {
    if (this.#region === null) throw released('length');
    return this.#length;
  }

  // ── Items ──

  /**
   * Gives one item. It takes an index for each dimension. An index below 0 counts from the end. O(1).
   *
   * @throws {@link ViewRangeError} (`TENURE_VIEW_RANGE`) for an index out of bounds; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) for more or fewer indexes than dimensions; {@link InvalidArgumentError}
   * (`TENURE_INVALID_ARGUMENT`) for an index that is no integer.
   */
  at(...index: number[]): Item<F>;
  at(index: number, second?: number): unknown {
    return second === undefined &&
      typeof index === 'number' &&
      index >>> 0 === index &&
      index < this.#fastLength
      ? this.readAt(this.#offset + index * this.#stride)
      : this.slowAt(index, second);
  }

  /**
   * Stores one item. `index` is a number, or an array with one for each dimension. O(1).
   *
   * @throws {@link ReadonlyViewError} (`TENURE_VIEW_READONLY`) if the view is read-only; what `at` throws; then
   * {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for a value of another type, and {@link ViewRangeError}
   * (`TENURE_VIEW_RANGE`) for a value that the format cannot hold. Nothing is stored then.
   */
  set(index: number | readonly number[], value: Item<F>): void {
    if (
      typeof index === 'number' &&
      index >>> 0 === index &&
      index < this.#fastLength &&
      !this.#isReadonly
    ) {
      this.#write(this.#offset + index * this.#stride, value);
    } else {
      this.slowSet(index, value);
    }
  }

  /** Gives the items of a view of one dimension. The iterator throws once the view is released. */
  [Symbol.iterator](): ViewIterator<F> {
    if (this.#dims !== null)
      throw notOneDimensional('[Symbol.iterator]', this.#dims, 'Use toList()');
    if (this.#region === null) throw released('[Symbol.iterator]');
    return new ViewIterator(this, this.#length);
  }

  // ── Other views of the bytes ──

  /**
   * Gives a view of some items of the first dimension, by the rules of Python's `[start:end:step]`. It shares the bytes. O(1).
   *
   * @throws {@link ViewRangeError} (`TENURE_VIEW_RANGE`) if `step` is 0; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) for a view without a dimension; {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a
   * position that is no integer.
   */
  slice(start?: number, end?: number, step?: number): MemoryView<F> {
    const region = this.#region;
    const from = start === undefined ? 0 : start;
    const to = end === undefined ? this.#length : end;
    const isPlain =
      typeof from === 'number' &&
      typeof to === 'number' &&
      from >>> 0 === from &&
      to >>> 0 === to &&
      from <= to &&
      to <= this.#length;
    if (
      region === null ||
      step !== undefined ||
      this.#dims !== null ||
      region.isResizable ||
      !isPlain
    ) {
      return this.#sliceByRules(start, end, step);
    }
    const view = new MemoryView<F>(
      region,
      this.#format,
      this.#offset + from * this.#stride,
      to - from,
      this.#stride,
      null,
      this.#isReadonly,
    );
    if (region.watch !== null) view.report(MemoryView.prototype.slice);
    return view;
  }

  /**
   * Gives a view of the bytes in another format, and in another shape if one is given. One of the two formats has to be `b`,
   * `B` or `c`. A cast goes from one dimension to several, or from several to one. O(dimensions).
   *
   * @throws {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for an unknown format, or if neither format is one of bytes;
   * {@link ViewStructureError} (`TENURE_VIEW_STRUCTURE`) if the items do not follow each other, or do not fill the format or
   * the shape.
   */
  cast<G extends Format>(format: G, shape?: readonly number[]): MemoryView<G> {
    const { layout } = this.open('cast');
    const target = castTo(layout, this.#format, format, shape);
    const { cast } = MemoryView.prototype;
    return this.#derive(cast, target.format, target.layout, this.#isReadonly);
  }

  /** Gives a view of the items that refuses changes. O(1). */
  toReadonly(): MemoryView<F> {
    const { toReadonly } = MemoryView.prototype;
    return this.#derive(toReadonly, this.#format, this.open('toReadonly').layout, true);
  }

  /**
   * Overwrites the items of `[start:end:step]` with those of `from`, which must have the shape and the format of these items. The
   * two may overlap: the result is as if `from` had been copied first. O(items).
   *
   * @throws {@link ReadonlyViewError} (`TENURE_VIEW_READONLY`) if the view is read-only; {@link ViewStructureError}
   * (`TENURE_VIEW_STRUCTURE`) if shape or format differ, or if the view has not one dimension.
   */
  assign(from: MemoryView | BytesSource, start?: number, end?: number, step?: number): void {
    assignItems(this.open('assign'), from, start, end, step);
  }

  // ── The end ──

  /** Ends the view. Other views of the bytes go on. A second call has no effect. O(1). */
  release(): void {
    const region = this.#region;
    if (region === null) return;
    this.#region = null;
    this.#fastLength = 0;
    this.#data = NO_DATA;
    this.close();
    region.exports--;
    if (this.#report !== null) this.#report.watch.closed(this.#report.node);
  }

  /** Calls {@link release}. */
  [Symbol.dispose](): void {
    this.release();
  }

  /**
   * Makes another view of the items, for the caller of `entry`.
   *
   * @internal
   */
  again(entry: EntryPoint): MemoryView<F> {
    return this.#derive(entry, this.#format, this.open('memoryview').layout, this.#isReadonly);
  }

  /**
   * Tells the observer of the region that the caller of `entry` has made the view.
   *
   * @internal
   */
  report(entry: EntryPoint): void {
    const watch = this.#region?.watch ?? null;
    if (watch !== null) this.#report = { watch, node: watch.opened(this, entry) };
  }

  // ── For the classes that extend this one ──

  /** @internal */
  override get isReleased(): boolean {
    return this.#region === null;
  }

  /** @internal */
  protected override open(operation: string): OpenView {
    const region = this.#region;
    if (region === null) throw released(operation);
    const dims = this.#dims ?? {
      shape: Object.freeze([this.#length]),
      strides: Object.freeze([this.#stride]),
    };
    const layout = { offset: this.#offset, shape: dims.shape, strides: dims.strides };
    return { region, format: this.#format, layout, isReadonly: this.#isReadonly };
  }

  /**
   * Makes the typed array that reads the items.
   *
   * @internal
   */
  protected openItems<A>(
    type: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => A,
  ): A {
    const { buffer, byteOffset } = this.#region as ViewRegion;
    return new type(buffer, byteOffset + this.#offset, this.#length);
  }

  /**
   * Drops what the class has made of the memory. Called when the view is released.
   *
   * @internal
   */
  protected close(): void {}

  /**
   * Reads an item that has no fast way, or throws. `second` is present if there was more than one index.
   *
   * @internal
   */
  protected slowAt(index: unknown, second: unknown): AnyItem {
    if (second !== undefined) return this.itemAt([index, second]);
    return this.itemAt(index === undefined ? [] : [index]);
  }

  /**
   * Reads an item of any view, or throws.
   *
   * @internal
   */
  protected itemAt(indexes: readonly unknown[]): AnyItem {
    const { region, layout } = this.open('at');
    const at = itemPosition('MemoryView.at', layout, indexes);
    return region.isResizable ? readResizable(region, at, this.#format) : this.readAt(at);
  }

  /**
   * Stores an item that has no fast way, or throws.
   *
   * @internal
   */
  protected slowSet(index: unknown, value: unknown): void {
    const { region, layout, isReadonly } = this.open('set');
    if (isReadonly) throw readonlyError('set', 'Change the view that it was made of');
    const indexes: readonly unknown[] = Array.isArray(index) ? index : [index];
    const at = itemPosition('MemoryView.set', layout, indexes);
    if (region.isResizable) writeResizable(region, at, this.#format, value);
    else this.#write(at, value);
  }

  /**
   * Reads the item at a byte offset that has been checked.
   *
   * @internal
   */
  protected readAt(at: number): AnyItem {
    try {
      return readItem(this.#data, at, this.#format.kind);
    } catch (error) {
      this.#region?.checkAttached();
      throw error;
    }
  }

  #write(at: number, value: unknown): void {
    try {
      writeItem(this.#data, at, this.#format, value);
    } catch (error) {
      this.#region?.checkAttached();
      throw error;
    }
  }

  #sliceByRules(start?: number, end?: number, step?: number): MemoryView<F> {
    const { layout } = this.open('slice');
    const sliced = slicedLayout('MemoryView.slice', layout, start, end, step);
    const { slice } = MemoryView.prototype;
    return this.#derive(slice, this.#format, sliced, this.#isReadonly);
  }

  #derive<G extends Format>(
    entry: EntryPoint,
    format: FormatInfo,
    { offset, shape, strides }: Layout,
    isReadonly: boolean,
  ): MemoryView<G> {
    const region = this.#region as ViewRegion;
    const [length = 1] = shape;
    const [stride = format.itemsize] = strides;
    const dims = shape.length === 1 ? null : { shape, strides };
    const view = region.makeView(region, format, offset, length, stride, dims, isReadonly);
    if (region.watch !== null) view.report(entry);
    return view as MemoryView<never>;
  }
}

function released(operation: string): ViewReleasedError {
  return new ViewReleasedError(
    `MemoryView.${operation}: the view is released. Use it before its release, or make another view of its source.`,
  );
}
