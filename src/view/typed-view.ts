/** The part that all views by typed arrays share: everything but reading and storing an item is done by a view of another class. */

import type { EntryPoint } from '../core/probe.js';
import { withoutView } from '../core/without-object.js';
import type { Format } from './format.js';
import type { AnyItem } from './item.js';
import { MemoryView } from './memory-view.js';
import type { StridedView } from './strided-view.js';
import type { OpenView } from './view-contents.js';

/** A view in front of a view of the same items. */
export abstract class TypedView<F extends Format> extends MemoryView<F> {
  readonly #view: StridedView<F>;

  /** @internal */
  constructor(view: StridedView<F>) {
    super();
    this.#view = view;
  }

  override get length(): number {
    return this.#view.length;
  }

  override slice(start?: number, end?: number, step?: number): MemoryView<F> {
    return this.#view.slice(start, end, step);
  }

  override release(): void {
    if ((this ?? withoutView()).#view.isReleased) return;
    this.close();
    this.#view.release();
  }

  /** @internal */
  override report(entry: EntryPoint): void {
    this.#view.report(entry);
  }

  /** @internal */
  override get isReleased(): boolean {
    return this.#view.isReleased;
  }

  /** @internal */
  override open(operation: string): OpenView {
    return this.#view.open(operation);
  }

  /**
   * Drops the typed array. Called when the view is released.
   *
   * @internal
   */
  protected abstract close(): void;

  /** @internal */
  protected openItems<A>(
    type: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => A,
  ): A {
    return this.#view.openItems(type);
  }

  /** @internal */
  protected slowAt(index: unknown, second: unknown): AnyItem {
    return this.#view.slowAt(index, second);
  }

  /** @internal */
  protected slowSet(index: unknown, value: unknown): void {
    this.#view.slowSet(index, value);
  }
}
