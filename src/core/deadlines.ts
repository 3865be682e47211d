/**
 * The waits of a component, by deadline: a binary heap. Adding and removing are O(log n), the next deadline is O(1). Each wait knows
 * its index in the heap, so that it can be removed from the middle.
 */

/** `heapIndex` of a wait that is not in the heap. */
export const NOT_IN_HEAP = -1;

/** A wait that ends at a deadline. */
export interface Deadlined {
  /** On the component's clock. */
  readonly deadline: number;
  /** The index in the heap; `NOT_IN_HEAP` if it is not in one. Set by the heap. */
  heapIndex: number;
}

/** Waits in the order of their deadlines. */
export class Deadlines<W extends Deadlined> {
  readonly #heap: W[] = [];

  /** The wait with the next deadline. */
  next(): W | undefined {
    return this.#heap[0];
  }

  /** Adds a wait. */
  insert(wait: W): void {
    this.#heap.push(wait);
    this.#rise(wait, this.#heap.length - 1);
  }

  /** Removes a wait that was added. */
  remove(wait: W): void {
    const index = wait.heapIndex;
    wait.heapIndex = NOT_IN_HEAP;
    const last = this.#heap.pop() as W;
    if (last === wait) return;
    this.#rise(last, index);
    this.#sink(last, last.heapIndex);
  }

  #rise(wait: W, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above] as W;
      if (parent.deadline <= wait.deadline) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(wait, index);
  }

  #sink(wait: W, from: number): void {
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      let child = this.#heap[below];
      if (child === undefined) break;
      const right = this.#heap[below + 1];
      if (right !== undefined && right.deadline < child.deadline) {
        below++;
        child = right;
      }
      if (wait.deadline <= child.deadline) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(wait, index);
  }

  #put(wait: W, index: number): void {
    this.#heap[index] = wait;
    wait.heapIndex = index;
  }
}
