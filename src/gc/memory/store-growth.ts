/**
 * The growth of a simulated heap's columns: by a factor of two, and by a half once they are large. All columns of a million nodes take
 * some ten milliseconds to copy, so they grow one after the other, while there is still room in all of them. Each is prepared before it
 * is copied.
 *
 * ```
 *   slots   0 … 24/25 of the capacity ──▶ column 1 ──▶ column 2 ──▶ … ──▶ the capacity has grown
 *                                          └── each slot prepares a part; the last one copies
 * ```
 */
import { HeapFullError } from '../heap-errors.js';
import type { Census } from './census.js';
import { type Column, grownColumn, PreparedColumn } from './column.js';
import type { EdgeStore } from './edge-store.js';
import type { GenerationLists } from './generation-lists.js';
import { MAX_SLOTS } from './handle.js';

/** The columns that grow together. */
export interface GrowingColumns {
  readonly edges: EdgeStore;
  readonly lists: GenerationLists;
  readonly census: Census | null;
  readonly firstTag: number;
  refcount: Int32Array;
  holds: Int32Array;
  gcWord: Int32Array;
  tag: Int32Array;
  meta: Int32Array;
  /** Empty until a node has a size. */
  sizes: Uint32Array;
}

/** One column, and the entry of a slot that had no node. */
interface Part {
  get(): Column;
  set(longer: Column): void;
  readonly fill: number;
}

/** Slots in which one column grows, as a share of the capacity. */
const SHARE = 1 / 256;

/** A capacity from which on columns grow by a half, so that less of the memory is empty. */
const LARGE_CAPACITY = 2 ** 16;

export class StoreGrowth {
  /** Number of slots that all columns have room for. */
  capacity: number;
  /** Slot from which on {@link continue} is to be called for each slot. */
  nextSlot: number;
  readonly #parts: readonly Part[];
  /** Number of columns that have grown beyond the capacity. */
  #grown = 0;
  #prepared: PreparedColumn<Column> | null = null;

  constructor(columns: GrowingColumns, capacity: number) {
    this.#parts = partsOf(columns);
    this.capacity = capacity;
    this.nextSlot = this.#endOf(0);
  }

  /** Continues the growth before the slot `index` is used. */
  continue(index: number): void {
    if (this.capacity === MAX_SLOTS) {
      if (index === MAX_SLOTS) throw new HeapFullError(MAX_SLOTS);
      return;
    }
    const part = this.#parts[this.#grown] as Part;
    const column = part.get();
    if (index < this.#endOf(this.#grown + 1)) this.#prepare(part, column);
    else this.#finish(part, column);
  }

  #prepare({ fill }: Part, column: Column): void {
    if (column.length === 0) return;
    this.#prepared ??= new PreparedColumn(column, this.#longer(column), fill);
    this.#prepared.prepare(Math.ceil(this.#prepared.length / (this.capacity * SHARE)));
  }

  #finish(part: Part, column: Column): void {
    if (column.length > 0) {
      part.set(this.#prepared?.take(column) ?? grownColumn(column, this.#longer(column)));
    }
    this.#prepared = null;
    this.#grown++;
    if (this.#grown < this.#parts.length) return;
    this.#grown = 0;
    this.capacity = grown(this.capacity);
    this.nextSlot = this.#endOf(0);
  }

  /** The length of a column for the next capacity. */
  #longer({ length }: Column): number {
    return (length / this.capacity) * grown(this.capacity);
  }

  /** The slot at which so many columns have grown. */
  #endOf(grown: number): number {
    return this.capacity * (1 - (this.#parts.length + 1 - grown) * SHARE);
  }
}

function grown(capacity: number): number {
  if (capacity < LARGE_CAPACITY) return 2 * capacity;
  return Math.min(MAX_SLOTS, Math.ceil(1.5 * capacity * SHARE) / SHARE);
}

function partsOf(columns: GrowingColumns): Part[] {
  const { edges, lists, census, firstTag } = columns;
  return [
    partOf(edges, 'pair'),
    partOf(lists, 'links'),
    partOf(lists, 'listOf'),
    partOf(columns, 'refcount'),
    partOf(columns, 'holds'),
    partOf(columns, 'gcWord'),
    partOf(columns, 'meta'),
    partOf(columns, 'tag', firstTag),
    ...(census === null ? [] : [partOf(census, 'places')]),
    partOf(columns, 'sizes'), // The last one: while the others grow, a heap may make it, with the old capacity.
  ];
}

function partOf<K extends string>(holder: Record<K, Column>, name: K, fill: number = 0): Part {
  return {
    get: () => holder[name],
    set: (longer) => {
      holder[name] = longer;
    },
    fill,
  };
}
