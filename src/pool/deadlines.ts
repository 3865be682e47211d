/**
 * Deadlines of waiters, the next one found at once.
 *
 * Nearly all waiters have the pool's own timeout, so they expire in the order in which they came: a doubly linked list
 * keeps them, O(1) to add and to remove from anywhere. Only waiters with a timeout of their own need sorting: a binary
 * heap keeps those, O(log n), with each waiter's place noted in it so that one in the middle can be removed.
 */
import type { Waiter } from './waiter.js';

/** Waiters by deadline. */
export class Deadlines<T> {
  #first: Waiter<T> | null = null;
  #last: Waiter<T> | null = null;
  readonly #heap: Waiter<T>[] = [];

  /** The waiter whose deadline comes next. */
  next(): Waiter<T> | null {
    const own = this.#first;
    const other = this.#heap[0];
    if (other === undefined) return own;
    return own === null || other.deadline < own.deadline ? other : own;
  }

  /** Adds a waiter whose deadline is no earlier than that of any added by this method before. */
  append(waiter: Waiter<T>): void {
    waiter.earlier = this.#last;
    if (this.#last === null) this.#first = waiter;
    else this.#last.later = waiter;
    this.#last = waiter;
  }

  /** Adds a waiter with any deadline. */
  insert(waiter: Waiter<T>): void {
    this.#heap.push(waiter);
    this.#rise(waiter, this.#heap.length - 1);
  }

  /** Removes a waiter that was added. */
  remove(waiter: Waiter<T>): void {
    if (waiter.heapIndex >= 0) this.#removeFromHeap(waiter);
    else {
      if (waiter.earlier === null) this.#first = waiter.later;
      else waiter.earlier.later = waiter.later;
      if (waiter.later === null) this.#last = waiter.earlier;
      else waiter.later.earlier = waiter.earlier;
      waiter.earlier = null;
      waiter.later = null;
    }
  }

  #removeFromHeap(waiter: Waiter<T>): void {
    const index = waiter.heapIndex;
    waiter.heapIndex = -1;
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
