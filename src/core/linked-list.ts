/**
 * An intrusive doubly linked list: the links are properties of the items. Adding and removing allocate nothing, and are O(1)
 * anywhere in the list. An item is in at most one list at a time.
 */

/** The links of an item. Both are `null` while the item is in no list. */
export interface Linked<T> {
  /** The item before this one. */
  previous: T | null;
  /** The item after this one. */
  next: T | null;
}

/** A list of items that have their own links. */
export class LinkedList<T extends Linked<T>> {
  #first: T | null = null;
  #last: T | null = null;
  #length = 0;

  /** How many items there are. O(1). */
  get length(): number {
    return this.#length;
  }

  /** The item at the front; `null` if the list is empty. */
  get first(): T | null {
    return this.#first;
  }

  /** The item at the back; `null` if the list is empty. */
  get last(): T | null {
    return this.#last;
  }

  /** Adds `item`, which is in no list, at the back. */
  append(item: T): void {
    item.previous = this.#last;
    if (this.#last === null) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#length++;
  }

  /** Adds `item`, which is in no list, at the front. */
  prepend(item: T): void {
    item.next = this.#first;
    if (this.#first === null) this.#last = item;
    else this.#first.previous = item;
    this.#first = item;
    this.#length++;
  }

  /** Removes `item`, which must be in this list. */
  remove(item: T): void {
    if (item.previous === null) this.#first = item.next;
    else item.previous.next = item.next;
    if (item.next === null) this.#last = item.previous;
    else item.next.previous = item.previous;
    item.previous = null;
    item.next = null;
    this.#length--;
  }

  /** Removes and gives the item at the front. */
  shift(): T | null {
    const item = this.#first;
    if (item === null) return null;
    const { next } = item;
    this.#first = next;
    if (next === null) this.#last = null;
    else {
      next.previous = null;
      item.next = null;
    }
    this.#length--;
    return item;
  }

  /** Removes and gives the item at the back. */
  pop(): T | null {
    const item = this.#last;
    if (item !== null) this.remove(item);
    return item;
  }

  /** Gives the items from front to back. The current item may be removed meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let item = this.#first; item !== null; ) {
      const next: T | null = item.next;
      yield item;
      item = next;
    }
  }
}
