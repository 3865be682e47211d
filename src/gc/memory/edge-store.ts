/**
 * The strong edges of a simulated heap. The edges of a node are ordered, and duplicates are allowed.
 *
 * Up to two edges of a node are inline, side by side. A pass over the heap finds both in one cache line. From the third
 * on, all edges of the node live in a slab: a run of one shared array. The size of a slab is a power of two, and its
 * first entry is the number of edges. Free slabs are recycled by size.
 *
 * ```
 *                 pair[2i]      pair[2i + 1]
 *   no edge         0              0
 *   one             first          0
 *   two             first          second
 *   more           ~start          size ──▶ slab[start] = count, slab[start + 1…] = edges
 * ```
 *
 * Targets are indices of nodes, which are greater than 0. The caller keeps the reference counts.
 *
 * This class decodes the layout for all files except three: `deduce-unreachable.ts`, `bulk-deallocator.ts` and
 * `mark-in-parallel.ts`. Each of them says why it decodes edges itself.
 */
import { grownColumn, newColumn, PreparedColumn } from './column.js';

const SMALLEST_SLAB = 4;
const FIRST_SLABS = 1_024;
/** Size from which on a slab prepares for its successor. */
const LARGE_SLAB = 2 ** 16;
/** Share of its size from which on it prepares. Earlier would waste the memory of slabs that grow no further. */
const PREPARE_FROM = 7 / 8;
/** A large slab prepares once in so many edges. A power of two. */
const EDGES_PER_STEP = 64;

/** Receives edges one at a time. */
export interface EdgeVisitor {
  visitEdge(source: number, target: number): void;
}

export class EdgeStore {
  /** Two entries per node; see the table above. */
  pair: Int32Array;
  slab: Int32Array;
  #slabEnd = 0;
  /** The successor of `slab`, while a large slab is nearly full. */
  #prepared: PreparedColumn<Int32Array> | null = null;
  /** Free slabs, by the logarithm of their size. */
  readonly #freeSlabs: number[][] = Array.from({ length: 32 }, () => []);

  /** Other threads can read a `shared` store. */
  constructor(capacity: number, shared: boolean) {
    this.pair = newColumn(2 * capacity, shared);
    this.slab = newColumn(FIRST_SLABS, shared);
  }

  /** Returns the number of edges of a node. */
  count(index: number): number {
    const first = this.pair[2 * index] as number;
    if (first < 0) return this.slab[~first] as number;
    if (first === 0) return 0;
    return this.pair[2 * index + 1] === 0 ? 1 : 2;
  }

  /** Returns the target of the edge at `place`, which must exist. */
  at(index: number, place: number): number {
    const first = this.pair[2 * index] as number;
    return (first < 0 ? this.slab[~first + 1 + place] : this.pair[2 * index + place]) as number;
  }

  /** Returns the targets of all edges of a node, in order. */
  targets(index: number): number[] {
    const count = this.count(index);
    const targets: number[] = [];
    for (let place = 0; place < count; place++) targets.push(this.at(index, place));
    return targets;
  }

  /**
   * Passes the edges of a node to `visitor`, first to last, if the node has at most two. Returns false, and passes none, if
   * it has more.
   */
  visitInline(index: number, visitor: EdgeVisitor): boolean {
    const { pair } = this;
    const first = pair[2 * index] as number;
    if (first < 0) return false;
    const second = pair[2 * index + 1] as number;
    if (first > 0) visitor.visitEdge(index, first);
    if (second > 0) visitor.visitEdge(index, second);
    return true;
  }

  replace(index: number, place: number, target: number): void {
    const first = this.pair[2 * index] as number;
    if (first < 0) this.slab[~first + 1 + place] = target;
    else this.pair[2 * index + place] = target;
  }

  /** Adds an edge after the others. Returns its place. */
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

  /** Removes an edge and closes the gap. O(1) for the last edge. */
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
    this.#freeSlab(start, pair[2 * index + 1] as number);
    pair[2 * index] = slab[start + 1] as number;
    pair[2 * index + 1] = slab[start + 2] as number;
  }

  /** Removes all edges of a node and returns their targets, in order. */
  take(index: number): number[] {
    const targets = this.targets(index);
    const { pair } = this;
    const first = pair[2 * index] as number;
    if (first < 0) this.#freeSlab(~first, pair[2 * index + 1] as number);
    pair[2 * index] = 0;
    pair[2 * index + 1] = 0;
    return targets;
  }

  /** Removes all edges of a node, then passes them to `visitor`, last to first. The visitor may change the store. */
  drain(index: number, visitor: EdgeVisitor): void {
    const { pair } = this;
    const first = pair[2 * index] as number;
    if (first > 0) {
      const second = pair[2 * index + 1] as number;
      pair[2 * index] = 0;
      pair[2 * index + 1] = 0;
      if (second > 0) visitor.visitEdge(index, second);
      visitor.visitEdge(index, first);
    } else if (first < 0) {
      this.#drainSlab(index, visitor);
    }
  }

  /** A method of its own, so that V8 inlines `drain`. */
  #drainSlab(index: number, visitor: EdgeVisitor): void {
    const targets = this.take(index);
    for (let i = targets.length - 1; i >= 0; i--) visitor.visitEdge(index, targets[i] as number);
  }

  /** Moves two inline edges to a slab, which has room for a third. Returns the start of the slab. */
  #moveToSlab(index: number): number {
    const start = this.#allocateSlab(SMALLEST_SLAB);
    const { pair, slab } = this;
    slab[start] = 2;
    slab[start + 1] = pair[2 * index] as number;
    slab[start + 2] = pair[2 * index + 1] as number;
    pair[2 * index] = ~start;
    pair[2 * index + 1] = SMALLEST_SLAB;
    return start;
  }

  /** Makes room for another edge in the slab of a node. Returns the start of the slab. */
  #roomInSlab(index: number): number {
    const start = ~(this.pair[2 * index] as number);
    const size = this.pair[2 * index + 1] as number;
    const count = this.slab[start] as number;
    if (count < size - 1) {
      if (size >= LARGE_SLAB && count > size * PREPARE_FROM) this.#prepareFor(size, count);
      return start;
    }
    const larger = this.#allocateSlab(size * 2);
    this.slab.copyWithin(larger, start, start + size);
    this.#freeSlab(start, size);
    this.pair[2 * index] = ~larger;
    this.pair[2 * index + 1] = size * 2;
    return larger;
  }

  #allocateSlab(size: number): number {
    const free = this.#freeSlabs[31 - Math.clz32(size)]?.pop();
    if (free !== undefined) return free;
    const start = this.#slabEnd;
    this.#slabEnd += size;
    if (this.#slabEnd > this.slab.length) this.#grow();
    return start;
  }

  #grow(): void {
    const isPrepared = this.#prepared !== null && this.#prepared.length >= this.#slabEnd;
    this.slab = isPrepared
      ? (this.#prepared as PreparedColumn<Int32Array>).take(this.slab)
      : grownColumn(this.slab, Math.max(this.#slabEnd, 2 * this.slab.length));
    this.#prepared = null;
  }

  /** Prepares the array of all slabs for the successor of a slab: a slab of a million edges takes milliseconds to copy. */
  #prepareFor(size: number, count: number): void {
    if (count % EDGES_PER_STEP !== 0) return;
    const end = this.#slabEnd + 2 * size;
    if (end <= this.slab.length || this.#freeSlabs[32 - Math.clz32(size)]?.length !== 0) return;
    this.#prepared ??= new PreparedColumn(this.slab, Math.max(end, 2 * this.slab.length));
    const steps = (size * (1 - PREPARE_FROM)) / EDGES_PER_STEP;
    this.#prepared.prepare(Math.ceil(end / steps));
  }

  #freeSlab(start: number, size: number): void {
    this.#freeSlabs[31 - Math.clz32(size)]?.push(start);
  }
}
