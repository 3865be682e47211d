/** Columns: the typed arrays of a simulated heap, one entry or two a node. */

/** The arrays that a column can be. */
export type Column = Int32Array | Uint32Array | Uint8Array;

/** A longer column with the same entries, for when a heap outgrows its own. */
export function grownColumn<C extends Column>(column: C, length: number): C {
  const longer = new (column.constructor as new (length: number) => C)(length);
  longer.set(column);
  return longer;
}
