/**
 * The deadlines of waiters with a timeout of their own: a binary heap. Adding and removing are O(log n), the next deadline
 * is O(1). Each waiter knows its index in the heap, so that it can be removed from the middle.
 */
import { NOT_IN_HEAP, type Waiter } from './waiter.js';

/** Waiters in the order of their deadlines. */
export class Deadlines<T> {
  readonly #heap: Waiter<T>[] = [];

  /** The waiter with the next deadline. */
  next(): Waiter<T> | undefined {
    return this.#heap[0];
  }

  /** Adds a waiter. */
  insert(waiter: Waiter<T>): void {
    this.#heap.push(waiter);
    this.#rise(waiter, this.#heap.length - 1);
  }

  /** Removes a waiter that was added. */
  remove(waiter: Waiter<T>): void {
    const index = waiter.heapIndex;
    waiter.heapIndex = NOT_IN_HEAP;
    const last = this.#heap.pop() as Waiter<T>;
    if (last === waiter) return;
    this.#rise(last, index);
    this.#sink(last, last.heapIndex);
  }

  #rise(waiter: Waiter<T>, from: number): void {
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#heap[above] as Waiter<T>;
      if (parent.deadline <= waiter.deadline) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(waiter, index);
  }

  #sink(waiter: Waiter<T>, from: number): void {
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
      if (waiter.deadline <= child.deadline) break;
      this.#put(child, index);
      index = below;
    }
    this.#put(waiter, index);
  }

  #put(waiter: Waiter<T>, index: number): void {
    this.#heap[index] = waiter;
    waiter.heapIndex = index;
  }
}
