/** Columns: the typed arrays of a simulated heap, with one or two entries per node. */

/** Array type of a column. */
export type Column = Int32Array | Uint32Array | Uint8Array;

/** Returns an empty column. Other threads can read it if it is `shared`. */
export function newColumn(length: number, shared: boolean): Int32Array {
  return shared
    ? new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
    : new Int32Array(length);
}

/** Returns a longer column with the same entries, for a heap that outgrows its memory. Shared if the old column is. */
export function grownColumn<C extends Column>(column: C, length: number): C {
  const longer = emptyLike(column, length);
  longer.set(column);
  return longer;
}

/**
 * A longer column that takes the place of another, prepared in steps. The system provides the memory of a new column page by page,
 * when it is first written. That takes several times as long as a copy. So the pages are written beforehand, a few at a time.
 */
export class PreparedColumn<C extends Column> {
  readonly length: number;
  readonly #longer: C;
  readonly #fill: number;
  #written = 0;

  /** Entries that the old column does not have become `fill`. */
  constructor(column: C, length: number, fill: number = 0) {
    this.length = length;
    this.#longer = emptyLike(column, length);
    this.#fill = fill;
  }

  /** Prepares the next entries. O(entries). */
  prepare(entries: number): void {
    if (this.#written >= this.length) return;
    this.#longer.fill(this.#fill, this.#written, this.#written + entries);
    this.#written += entries;
  }

  /** Copies the old column, and returns the longer one. */
  take(column: C): C {
    if (this.#fill !== 0) this.prepare(this.length);
    this.#longer.set(column);
    return this.#longer;
  }
}

/** True if threads can share memory here. False in a page that is not cross-origin isolated. */
export const canShareMemory: boolean = typeof SharedArrayBuffer === 'function';

function emptyLike<C extends Column>(column: C, length: number): C {
  const make = column.constructor as new (lengthOrBuffer: number | SharedArrayBuffer) => C;
  return new make(
    isShared(column) ? new SharedArrayBuffer(length * column.BYTES_PER_ELEMENT) : length,
  );
}

function isShared({ buffer }: Column): boolean {
  return canShareMemory && buffer instanceof SharedArrayBuffer;
}
