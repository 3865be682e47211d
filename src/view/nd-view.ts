/** Views without a dimension, or with several. */
import type { Format, Item } from './format.js';
import { notOneDimensional } from './layout.js';
import { StridedView } from './strided-view.js';

/** No item: the indexes need a check that says what is wrong, or count from the end. */
const NOWHERE = -1;

/** A view that takes an index for each dimension. */
export class NdView<F extends Format = Format> extends StridedView<F> {
  readonly #layout = this.open('at').layout;
  #isFast = !this.open('at').region.isResizable;

  override at(...indexes: number[]): Item<F> {
    const at = this.#position(indexes);
    return (at === NOWHERE ? this.itemAt(indexes) : this.readAt(at)) as Item<F>;
  }

  override set(index: number | readonly number[], value: Item<F>): void {
    this.slowSet(index, value);
  }

  /** Throws: an item of the first dimension would be a view of the others, which CPython has not either. */
  override [Symbol.iterator](): never {
    throw notOneDimensional('[Symbol.iterator]', this.#layout, 'Use toList()');
  }

  /** @internal */
  protected override close(): void {
    this.#isFast = false;
  }

  #position(indexes: readonly number[]): number {
    const { offset, shape, strides } = this.#layout;
    if (!this.#isFast || indexes.length !== shape.length) return NOWHERE;
    let at = offset;
    for (let d = 0; d < indexes.length; d++) {
      const index = indexes[d] as number;
      if (typeof index !== 'number' || index >>> 0 !== index || index >= (shape[d] as number))
        return NOWHERE;
      at += index * (strides[d] as number);
    }
    return at;
  }
}
