/**
 * Views that read their items by the `DataView` of the region: slices, strides, formats that no typed array has, and places that
 * are not aligned.
 *
 * A view with a `#fastLength` above 0 reads an item with one comparison and one call of `DataView`. Every other view has a
 * `#fastLength` of 0, so each access takes the slow path. That path finds the reason: a released view, an index out of bounds,
 * an index that counts from the end.
 */

import type { EntryPoint, NodeId } from '../core/probe.js';
import { withoutView } from '../core/without-object.js';
import type { Format, FormatInfo, Item } from './format.js';
import { type AnyItem, readItem, writeItem } from './item.js';
import { itemPosition } from './item-position.js';
import type { Dims } from './layout.js';
import { MemoryView, type ViewRegion } from './memory-view.js';
import type { ExportWatch } from './region.js';
import { readResizable, writeResizable } from './resizable-items.js';
import { slicedLayout } from './slice-range.js';
import { type OpenView, readonlyError } from './view-contents.js';
import { ViewReleasedError } from './view-errors.js';

/** What an observer was told of a view: the end is told to the same observer. */
interface ExportReport {
  readonly watch: ExportWatch;
  readonly node: NodeId;
}

/** The data of a view that must not read any: a released one, or one of a resizable buffer. */
const NO_DATA = new DataView(new ArrayBuffer(0));

/** A view of one dimension, and what the views with other dimensions and other buffers add to. */
export class StridedView<F extends Format = Format> extends MemoryView<F> {
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

  override get length(): number {
    if (this.#region === null) throw released('length');
    return this.#length;
  }

  override at(...index: number[]): Item<F>;
  at(index: number, second?: number): unknown {
    return second === undefined &&
      typeof index === 'number' &&
      index >>> 0 === index &&
      index < this.#fastLength
      ? this.readAt(this.#offset + index * this.#stride)
      : this.slowAt(index, second);
  }

  override set(index: number | readonly number[], value: Item<F>): void {
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

  override slice(start?: number, end?: number, step?: number): MemoryView<F> {
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
    const view = new StridedView<F>(
      region,
      this.#format,
      this.#offset + from * this.#stride,
      to - from,
      this.#stride,
      null,
      this.#isReadonly,
    );
    if (region.watch !== null) view.report(StridedView.prototype.slice);
    return view;
  }

  override release(): void {
    const region = (this ?? withoutView()).#region;
    if (region === null) return;
    this.#region = null;
    this.#fastLength = 0;
    this.#data = NO_DATA;
    this.close();
    region.exports--;
    if (this.#report !== null) this.#report.watch.closed(this.#report.node);
  }

  /** @internal */
  override report(entry: EntryPoint): void {
    const watch = this.#region?.watch ?? null;
    if (watch !== null) this.#report = { watch, node: watch.opened(this, entry) };
  }

  /** @internal */
  override get isReleased(): boolean {
    return this.#region === null;
  }

  /** @internal */
  override open(operation: string): OpenView {
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
  openItems<A>(type: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => A): A {
    const region = this.#region as ViewRegion;
    try {
      return new type(region.buffer, region.byteOffset + this.#offset, this.#length);
    } catch (error) {
      this.release(); // No caller gets the view.
      region.checkAttached();
      throw error; // It has more items than a typed array can have.
    }
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
  slowAt(index: unknown, second: unknown): AnyItem {
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
  slowSet(index: unknown, value: unknown): void {
    const indexes: readonly unknown[] = Array.isArray(index) ? [...index] : [index]; // A getter may release the view.
    const { region, layout, isReadonly } = this.open('set');
    if (isReadonly) throw readonlyError('set', 'Change the view that it was made of');
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
    return this.derive(StridedView.prototype.slice, sliced, {});
  }
}

function released(operation: string): ViewReleasedError {
  return new ViewReleasedError(
    `MemoryView.${operation}: the view is released. Use it before its release, or make another view of its source.`,
  );
}
