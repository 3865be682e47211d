/**
 * A double-ended queue in a ring buffer. Its capacity is a power of two, so that an index wraps with one `&`:
 *
 * ```
 *   head=5                       length=5, capacity=8
 *     ┌───┬───┬───┬───┬───┬───┬───┬───┐
 *     │ d │ e │   │   │   │ a │ b │ c │      first() = a, last() = e
 *     └───┴───┴───┴───┴───┴───┴───┴───┘
 * ```
 *
 * Each operation is O(1), amortised over the growth of the ring. A place is cleared when its item is removed, so the deque keeps
 * no removed item alive.
 */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array(16);
  #head = 0;
  #length = 0;

  /** How many items there are. */
  get length(): number {
    return this.#length;
  }

  /** Adds `item` at the back. */
  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
  }

  /** Removes and gives the item at the back. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    this.#length--;
    return this.#take((this.#head + this.#length) & (this.#ring.length - 1));
  }

  /** Removes and gives the item at the front. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#take(this.#head);
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** Gives the item at the front without removing it. */
  first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  /** Gives the items from front to back. The deque must not change meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) {
      yield this.#ring[(this.#head + i) & (this.#ring.length - 1)] as T;
    }
  }

  #take(index: number): T | undefined {
    const item = this.#ring[index];
    this.#ring[index] = undefined;
    return item;
  }

  #grow(): void {
    const items = [...this];
    const ring = new Array<T | undefined>(this.#ring.length * 2);
    for (let i = 0; i < items.length; i++) ring[i] = items[i];
    this.#ring = ring;
    this.#head = 0;
  }
}
