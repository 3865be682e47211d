/**
 * The language of view programs: what both sides of the comparison with CPython run.
 *
 * A program has two sources of bytes, which can be resized, and makes views in the registers 0, 1, 2 and so on. Each operation
 * gives one string: what the operation has returned, or `!` and the kind of its error. The 20 operations:
 *
 * | operation | Python |
 * |---|---|
 * | `view s`, `again v` | `memoryview(s)`, `memoryview(v)` |
 * | `cast v format shape` | `v.cast(format, shape)` |
 * | `slice v start end step` | `v[start:end:step]` |
 * | `readonly v` | `v.toreadonly()` |
 * | `at v indexes`, `set v indexes value` | `v[indexes]`, `v[indexes] = value` |
 * | `assign v w start end step` | `v[start:end:step] = w` |
 * | `assignBytes v hex start end step` | `v[start:end:step] = bytes` |
 * | `toBytes v order`, `toList v`, `iterate v` | `v.tobytes(order)`, `v.tolist()`, `list(v)` |
 * | `hex v separator bytesPerSep` | `v.hex(separator, bytesPerSep)` |
 * | `equals v w`, `equalsBytes v hex` | `v == w`, `v == bytes` |
 * | `release v`, `iterateReleased v` | `v.release()`; an iterator whose view is released after one item |
 * | `info v` | format, shape, strides and all flags |
 * | `resize s length`, `source s` | a bytearray that is resized; its bytes |
 */

/** A number of a register or of a source. */
type Register = number;

/** One operation: its name, then its arguments. */
export type ViewOp = readonly [
  name: string,
  target: Register,
  ...rest: readonly (number | string | null | readonly number[] | EncodedValue)[],
];

/** A value to store, with its Python type: decimal digits, a double as 16 hexadecimal digits, text, or bytes. */
export interface EncodedValue {
  readonly type: 'int' | 'float' | 'str' | 'bytes' | 'bool' | 'none';
  readonly value: string;
}

/** A program. */
export interface ViewProgram {
  readonly name: string;
  /** The bytes of the sources, as hexadecimal digits. */
  readonly sources: readonly string[];
  readonly ops: readonly ViewOp[];
}

/** What a program has observed, a string for each operation. */
export interface ViewObservation {
  readonly name: string;
  readonly obs: readonly string[];
}
