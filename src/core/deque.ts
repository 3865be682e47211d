/**
 * A double-ended queue in a ring whose capacity is a power of two, so an index wraps with one `&`:
 *
 * ```
 *   head=5                       length=5, capacity=8
 *     ┌───┬───┬───┬───┬───┬───┬───┬───┐
 *     │ d │ e │   │   │   │ a │ b │ c │      first() = a, last() = e
 *     └───┴───┴───┴───┴───┴───┴───┴───┘
 * ```
 *
 * Every operation is O(1), growth amortised. A vacated place is cleared, so the deque keeps nothing alive.
 */
export class Deque<T> {
  #ring: (T | undefined)[] = new Array(16);
  #head = 0;
  #length = 0;

  /** How many items it holds. */
  get length(): number {
    return this.#length;
  }

  /** Adds `item` behind the last. */
  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = item;
    this.#length++;
  }

  /** Removes and returns the last item, the newest. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    this.#length--;
    return this.#take((this.#head + this.#length) & (this.#ring.length - 1));
  }

  /** Removes and returns the first item, the oldest. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#take(this.#head);
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.#length--;
    return item;
  }

  /** The first item, left in its place. */
  first(): T | undefined {
    return this.#length === 0 ? undefined : this.#ring[this.#head];
  }

  /** The items from first to last. The deque must not change meanwhile. */
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
