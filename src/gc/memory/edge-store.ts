/**
 * The strong edges of a simulated heap: ordered, duplicates allowed. Up to two edges of a node are inline, side by side,
 * where the passes over a heap find both in one cache line. From the third on all of them live in a slab: a power-of-two run
 * of one shared array, whose first entry is how many they are. Slabs are recycled by size.
 *
 * ```
 *                 pair[2i]      pair[2i + 1]
 *   no edge         0              0
 *   one             first          0
 *   two             first          second
 *   more           ~start          size ──▶ slab[start] = count, slab[start + 1…] = edges
 * ```
 *
 * Targets are indices of nodes, which begin above 0. Reference counts are the caller's.
 */
import { grownColumn, newColumn } from './column.js';

const SMALLEST_SLAB = 4;
const FIRST_SLABS = 1_024;

export class EdgeStore {
  /** Two entries a node. */
  pair: Int32Array;
  slab: Int32Array;
  #slabEnd = 0;
  /** Free slabs by the logarithm of their size. */
  readonly #freeSlabs: number[][] = Array.from({ length: 32 }, () => []);

  /** A shared one can be read by other threads. */
  constructor(capacity: number, shared: boolean) {
    this.pair = newColumn(2 * capacity, shared);
    this.slab = newColumn(FIRST_SLABS, shared);
  }

  grow(capacity: number): void {
    this.pair = grownColumn(this.pair, 2 * capacity);
  }

  count(index: number): number {
    const first = this.pair[2 * index] as number;
    if (first < 0) return this.slab[~first] as number;
    if (first === 0) return 0;
    return this.pair[2 * index + 1] === 0 ? 1 : 2;
  }

  /** The target of the edge at `place`, which must be one. */
  at(index: number, place: number): number {
    const first = this.pair[2 * index] as number;
    return (first < 0 ? this.slab[~first + 1 + place] : this.pair[2 * index + place]) as number;
  }

  /** All targets, in order. */
  targets(index: number): number[] {
    const count = this.count(index);
    const targets: number[] = [];
    for (let place = 0; place < count; place++) targets.push(this.at(index, place));
    return targets;
  }

  replace(index: number, place: number, target: number): void {
    const first = this.pair[2 * index] as number;
    if (first < 0) this.slab[~first + 1 + place] = target;
    else this.pair[2 * index + place] = target;
  }

  /** Adds an edge behind the others and returns its place. */
  push(index: number, target: number): number {
    const { pair } = this;
    const first = pair[2 * index] as number;
    if (first === 0) {
      pair[2 * index] = target;
      return 0;
    }
    if (first > 0 && pair[2 * index + 1] === 0) {
      pair[2 * index + 1] = target;
      return 1;
    }
    const start = first > 0 ? this.#moveToSlab(index) : this.#roomInSlab(index);
    const count = this.slab[start] as number;
    this.slab[start] = count + 1;
    this.slab[start + 1 + count] = target;
    return count;
  }

  /** Takes an edge out, closing the gap; the last one in O(1). */
  remove(index: number, place: number): void {
    const { pair, slab } = this;
    const first = pair[2 * index] as number;
    if (first >= 0) {
      if (place === 0) pair[2 * index] = pair[2 * index + 1] as number;
      pair[2 * index + 1] = 0;
      return;
    }
    const start = ~first;
    const count = slab[start] as number;
    slab.copyWithin(start + 1 + place, start + 2 + place, start + 1 + count);
    slab[start] = count - 1;
    if (count - 1 > 2) return;
    this.#giveSlab(start, pair[2 * index + 1] as number);
    pair[2 * index] = slab[start + 1] as number;
    pair[2 * index + 1] = slab[start + 2] as number;
  }

  /** Empties the node's edges and returns what they were, in order. */
  take(index: number): number[] {
    const targets = this.targets(index);
    const { pair } = this;
    const first = pair[2 * index] as number;
    if (first < 0) this.#giveSlab(~first, pair[2 * index + 1] as number);
    pair[2 * index] = 0;
    pair[2 * index + 1] = 0;
    return targets;
  }

  /** Moves two inline edges to a slab, where there is room for a third; returns its start. */
  #moveToSlab(index: number): number {
    const start = this.#takeSlab(SMALLEST_SLAB);
    const { pair, slab } = this;
    slab[start] = 2;
    slab[start + 1] = pair[2 * index] as number;
    slab[start + 2] = pair[2 * index + 1] as number;
    pair[2 * index] = ~start;
    pair[2 * index + 1] = SMALLEST_SLAB;
    return start;
  }

  /** The start of the node's slab, which has room for another edge. */
  #roomInSlab(index: number): number {
    const start = ~(this.pair[2 * index] as number);
    const size = this.pair[2 * index + 1] as number;
    if ((this.slab[start] as number) < size - 1) return start;
    const larger = this.#takeSlab(size * 2);
    this.slab.copyWithin(larger, start, start + size);
    this.#giveSlab(start, size);
    this.pair[2 * index] = ~larger;
    this.pair[2 * index + 1] = size * 2;
    return larger;
  }

  #takeSlab(size: number): number {
    const free = this.#freeSlabs[31 - Math.clz32(size)]?.pop();
    if (free !== undefined) return free;
    const start = this.#slabEnd;
    this.#slabEnd += size;
    if (this.#slabEnd > this.slab.length) {
      this.slab = grownColumn(this.slab, Math.max(this.#slabEnd, 2 * this.slab.length));
    }
    return start;
  }

  #giveSlab(start: number, size: number): void {
    this.#freeSlabs[31 - Math.clz32(size)]?.push(start);
  }
}
