/** Columns: the typed arrays of a simulated heap, one entry or two a node. */

/** The arrays that a column can be. */
export type Column = Int32Array | Uint32Array | Uint8Array;

/** An empty column, in memory that threads can share if it is `shared`. */
export function newColumn(length: number, shared: boolean): Int32Array {
  return shared
    ? new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT))
    : new Int32Array(length);
}

/** A longer column with the same entries, for when a heap outgrows its own; shared if the old one is. */
export function grownColumn<C extends Column>(column: C, length: number): C {
  const make = column.constructor as new (lengthOrBuffer: number | SharedArrayBuffer) => C;
  const longer = new make(
    isShared(column) ? new SharedArrayBuffer(length * column.BYTES_PER_ELEMENT) : length,
  );
  longer.set(column);
  return longer;
}

/** Whether threads can share memory here: not so in a page that is not cross-origin isolated. */
export const canShareMemory: boolean = typeof SharedArrayBuffer === 'function';

function isShared({ buffer }: Column): boolean {
  return canShareMemory && buffer instanceof SharedArrayBuffer;
}
