/** Compares items and lays them out as lists, from bytes that are packed in C order. */
import type { FormatInfo } from './format.js';
import { type AnyItem, readItem } from './item.js';

/** Items of one format that follow each other. */
export interface PackedItems {
  readonly bytes: Uint8Array;
  readonly format: FormatInfo;
}

/** Nested arrays of items, one level for each dimension; a single item for none. */
export type ItemList = AnyItem | readonly ItemList[];

/**
 * Whether two sequences of as many items are equal. Items of different formats are equal if Python's objects are: 1 equals 1.0
 * and True, and a byte of format `c` equals no number. NaN equals nothing. O(items).
 */
export function equalItems(a: PackedItems, b: PackedItems): boolean {
  if (a.format.char === b.format.char && a.format.comparesBytes)
    return equalBytes(a.bytes, b.bytes);
  const [ours, theirs] = [dataOf(a.bytes), dataOf(b.bytes)];
  const count = a.bytes.length / a.format.itemsize;
  for (let i = 0; i < count; i++) {
    const left = readItem(ours, i * a.format.itemsize, a.format.kind);
    const right = readItem(theirs, i * b.format.itemsize, b.format.kind);
    if (!equalValues(left, right)) return false;
  }
  return true;
}

/** Gives items as nested arrays. O(items). */
export function listOf({ bytes, format }: PackedItems, shape: readonly number[]): ItemList {
  const data = dataOf(bytes);
  let at = 0;
  const visit = (d: number): ItemList => {
    if (d === shape.length) {
      at += format.itemsize;
      return readItem(data, at - format.itemsize, format.kind);
    }
    return Array.from({ length: shape[d] as number }, () => visit(d + 1));
  };
  return visit(0);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function equalValues(a: AnyItem, b: AnyItem): boolean {
  if (typeof a === 'object' || typeof b === 'object') {
    return typeof a === 'object' && typeof b === 'object' && a[0] === b[0];
  }
  // `==` compares a bigint with a number exactly; a boolean counts as 0 or 1, as in Python.
  const [left, right] = [
    typeof a === 'boolean' ? Number(a) : a,
    typeof b === 'boolean' ? Number(b) : b,
  ];
  // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number are of different types.
  return left == right;
}

function dataOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
