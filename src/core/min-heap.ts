/**
 * Items in the order of a rank: a binary heap. Adding, moving and removing are O(log n), the first item is O(1). Each item knows its
 * index in the heap, so that it can be removed from the middle.
 */

/** `heapIndex` of an item that is not in the heap. */
export const NOT_IN_HEAP = -1;

/** An item of a heap. */
export interface HeapItem {
  /** The index in the heap; `NOT_IN_HEAP` if it is not in one. Set by the heap. */
  heapIndex: number;
}

/** Items, the one with the least rank first. */
export class MinHeap<I extends HeapItem> {
  readonly #items: I[] = [];
  readonly #rankOf: (item: I) => number;

  /** The rank of an item stays the same while it is in the heap, except before a call of {@link MinHeap.move}. */
  constructor(rankOf: (item: I) => number) {
    this.#rankOf = rankOf;
  }

  /** The item with the least rank. */
  get first(): I | undefined {
    return this.#items[0];
  }

  /** Adds an item. */
  add(item: I): void {
    this.#items.push(item);
    this.#rise(item, this.#items.length - 1);
  }

  /** Moves an item whose rank has changed to its place. */
  move(item: I): void {
    this.#rise(item, item.heapIndex);
    this.#sink(item, item.heapIndex);
  }

  /** Removes an item that was added. */
  remove(item: I): void {
    const index = item.heapIndex;
    item.heapIndex = NOT_IN_HEAP;
    const last = this.#items.pop() as I;
    if (last === item) return;
    last.heapIndex = index;
    this.move(last);
  }

  /** The item at an index. Those with the next higher ranks are at `2 * index + 1` and `2 * index + 2`. */
  at(index: number): I | undefined {
    return this.#items[index];
  }

  #rise(item: I, from: number): void {
    const rank = this.#rankOf(item);
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above] as I;
      if (this.#rankOf(parent) <= rank) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #sink(item: I, from: number): void {
    const rank = this.#rankOf(item);
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      let child = this.#items[below];
      if (child === undefined) break;
      const right = this.#items[below + 1];
      if (right !== undefined && this.#rankOf(right) < this.#rankOf(child)) {
        below++;
        child = right;
      }
      if (rank <= this.#rankOf(child)) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(item, index);
  }

  #put(item: I, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
