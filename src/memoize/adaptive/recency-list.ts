/** Numbers in the order of their last use: what an LRU cache would contain. All operations are O(1). */

const END = 0;
const FIRST_CAPACITY = 64;

/** The numbers that an LRU cache would contain. */
export class RecencyList {
  readonly #places = new Map<number, number>();
  #items = new Uint32Array(FIRST_CAPACITY);
  #older = new Uint32Array(FIRST_CAPACITY);
  #newer = new Uint32Array(FIRST_CAPACITY);
  #used = 1;
  #firstFree = 0;

  get size(): number {
    return this.#places.size;
  }

  has(item: number): boolean {
    return this.#places.has(item);
  }

  /** Makes a number the newest. False if it was not there. */
  use(item: number): boolean {
    const place = this.#places.get(item);
    if (place !== undefined) {
      this.#unlink(place);
      this.#link(place);
      return true;
    }
    const free = this.#takePlace();
    this.#items[free] = item;
    this.#places.set(item, free);
    this.#link(free);
    return false;
  }

  /** Removes the oldest number, and gives it. There must be one. */
  evict(): number {
    const oldest = this.#items[this.#newer[END] as number] as number;
    this.delete(oldest);
    return oldest;
  }

  delete(item: number): void {
    const place = this.#places.get(item);
    if (place === undefined) return;
    this.#unlink(place);
    this.#places.delete(item);
    this.#older[place] = this.#firstFree;
    this.#firstFree = place;
  }

  #link(place: number): void {
    const newest = this.#older[END] as number;
    this.#older[place] = newest;
    this.#newer[place] = END;
    this.#newer[newest] = place;
    this.#older[END] = place;
  }

  #unlink(place: number): void {
    const older = this.#older[place] as number;
    const newer = this.#newer[place] as number;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }

  #takePlace(): number {
    const free = this.#firstFree;
    if (free !== 0) {
      this.#firstFree = this.#older[free] as number;
      return free;
    }
    if (this.#used === this.#items.length) {
      this.#items = doubled(this.#items);
      this.#older = doubled(this.#older);
      this.#newer = doubled(this.#newer);
    }
    return this.#used++;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}
