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
  const make = column.constructor as new (lengthOrBuffer: number | SharedArrayBuffer) => C;
  const longer = new make(
    isShared(column) ? new SharedArrayBuffer(length * column.BYTES_PER_ELEMENT) : length,
  );
  longer.set(column);
  return longer;
}

/** True if threads can share memory here. False in a page that is not cross-origin isolated. */
export const canShareMemory: boolean = typeof SharedArrayBuffer === 'function';

function isShared({ buffer }: Column): boolean {
  return canShareMemory && buffer instanceof SharedArrayBuffer;
}
