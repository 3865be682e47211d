/**
 * An array that grows by pages. A plain array of a million records is copied as a whole when it grows, which stops the process for
 * some milliseconds. Here one page is allocated, and no record moves.
 *
 * ```
 *   index ──▶ page (index >> 12) ──▶ place in the page (index & 4095)
 * ```
 */
const PAGE_BITS = 12;
const PAGE_SIZE = 1 << PAGE_BITS;
const PLACE_MASK = PAGE_SIZE - 1;

export class PagedArray<T> implements Iterable<T | undefined> {
  readonly #pages: (T | undefined)[][] = [];
  /** One more than the highest index that was set. */
  length = 0;

  /** Gives the record at an index; `undefined` if there is none. O(1). */
  get(index: number): T | undefined {
    return this.#pages[index >> PAGE_BITS]?.[index & PLACE_MASK];
  }

  /** Sets the record at an index, which may lie behind the end. O(1); the first one of a page allocates it. */
  set(index: number, record: T | undefined): void {
    const page = this.#pages[index >> PAGE_BITS] ?? this.#allocatedUpTo(index >> PAGE_BITS);
    page[index & PLACE_MASK] = record;
    if (index >= this.length) this.length = index + 1;
  }

  /** Gives the records in the order of their indices. */
  *[Symbol.iterator](): IterableIterator<T | undefined> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  /** Removes all records. */
  clear(): void {
    this.#pages.length = 0;
    this.length = 0;
  }

  /** Adds pages. The first one grows with its records, so that a short array stays small. */
  #allocatedUpTo(number: number): (T | undefined)[] {
    while (this.#pages.length < number) this.#pages.push([]);
    const page: (T | undefined)[] = number === 0 ? [] : new Array(PAGE_SIZE);
    this.#pages[number] = page;
    return page;
  }
}
