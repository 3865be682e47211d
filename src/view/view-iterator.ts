/** The iterator of a view with one dimension. It is written by hand, because a generator takes ten times as long per item. */
import type { Format, Item } from './format.js';

/** A view as its iterator sees it. */
export interface IterableItems<F extends Format> {
  at(index: number): Item<F>;
}

/** Gives the items of a view from the first to the last. */
export class ViewIterator<F extends Format> implements IterableIterator<Item<F>> {
  readonly #view: IterableItems<F>;
  readonly #length: number;
  #next = 0;

  /** @internal */
  constructor(view: IterableItems<F>, length: number) {
    this.#view = view;
    this.#length = length;
  }

  /** Gives the next item; throws what `at` of the view throws. */
  next(): IteratorResult<Item<F>, undefined> {
    if (this.#next >= this.#length) return { value: undefined, done: true };
    return { value: this.#view.at(this.#next++), done: false };
  }

  /** Gives the iterator itself. */
  [Symbol.iterator](): this {
    return this;
  }
}
