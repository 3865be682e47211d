/**
 * The formats of items: the native single characters of Python's `struct`, as its memoryview casts to. The sizes are those
 * of CPython on 64-bit Linux and macOS, so `l`, `L`, `n` and `N` have 8 bytes.
 *
 * | format | bytes | item |
 * |---|---:|---|
 * | `?` | 1 | boolean |
 * | `c` | 1 | Uint8Array of length 1, as Python's bytes |
 * | `b`, `B` | 1 | number |
 * | `h`, `H` | 2 | number |
 * | `i`, `I` | 4 | number |
 * | `l`, `L`, `q`, `Q`, `n`, `N` | 8 | bigint |
 * | `e`, `f`, `d` | 2, 4, 8 | number |
 */

/** A native format without the prefix `@`. */
export type NativeFormat =
  | '?'
  | 'c'
  | 'b'
  | 'B'
  | 'h'
  | 'H'
  | 'i'
  | 'I'
  | 'l'
  | 'L'
  | 'q'
  | 'Q'
  | 'n'
  | 'N'
  | 'e'
  | 'f'
  | 'd';

/** A format of a view. The prefix `@` changes nothing, and a view keeps it. */
export type Format = NativeFormat | `@${NativeFormat}`;

/** The JavaScript type of an item of format `F`. */
export type Item<F extends Format> = F extends `@${infer N extends NativeFormat}`
  ? NativeItem<N>
  : F extends NativeFormat
    ? NativeItem<F>
    : never;

/** The JavaScript type of an item of a format without `@`. */
export type NativeItem<N extends NativeFormat> = N extends 'q' | 'Q' | 'l' | 'L' | 'n' | 'N'
  ? bigint
  : N extends '?'
    ? boolean
    : N extends 'c'
      ? Uint8Array
      : number;

/** How an item is stored. Formats that only differ in name share a kind. */
export const Kind = {
  Uint8: 0,
  Int8: 1,
  Uint16: 2,
  Int16: 3,
  Uint32: 4,
  Int32: 5,
  BigUint64: 6,
  BigInt64: 7,
  Float32: 8,
  Float64: 9,
  Float16: 10,
  Boolean: 11,
  Byte: 12,
} as const;

/** One of the values of {@link Kind}. */
export type Kind = (typeof Kind)[keyof typeof Kind];

/** A format with what follows from it. There is one object for each format. */
export interface FormatInfo {
  /** The format as the caller wrote it, with its `@`. */
  readonly name: Format;
  /** The character without `@`: two views have equal formats if these are equal. */
  readonly char: NativeFormat;
  /** The size of an item, in bytes. */
  readonly itemsize: number;
  readonly kind: Kind;
  /** Whether it is `b`, `B` or `c`: a cast has to go from or to one of these. */
  readonly isByte: boolean;
  /** Whether two items of this format are equal if and only if their bytes are. */
  readonly comparesBytes: boolean;
}

const KINDS: Readonly<Record<NativeFormat, readonly [kind: Kind, itemsize: number]>> = {
  '?': [Kind.Boolean, 1],
  c: [Kind.Byte, 1],
  b: [Kind.Int8, 1],
  B: [Kind.Uint8, 1],
  h: [Kind.Int16, 2],
  H: [Kind.Uint16, 2],
  i: [Kind.Int32, 4],
  I: [Kind.Uint32, 4],
  l: [Kind.BigInt64, 8],
  L: [Kind.BigUint64, 8],
  q: [Kind.BigInt64, 8],
  Q: [Kind.BigUint64, 8],
  n: [Kind.BigInt64, 8],
  N: [Kind.BigUint64, 8],
  e: [Kind.Float16, 2],
  f: [Kind.Float32, 4],
  d: [Kind.Float64, 8],
};

const FORMATS: ReadonlyMap<unknown, FormatInfo> = new Map(
  Object.entries(KINDS).flatMap(([name, [kind, itemsize]]) => {
    const char = name as NativeFormat;
    const info: FormatInfo = {
      name: char,
      char,
      itemsize,
      kind,
      isByte: 'bBc'.includes(char),
      comparesBytes: !'efd'.includes(char),
    };
    return [
      [char, info],
      [`@${char}`, { ...info, name: `@${char}` }],
    ] as const;
  }),
);

/** Gives what is known of a format; `undefined` if there is no such format. */
export function formatInfo(format: unknown): FormatInfo | undefined {
  return FORMATS.get(format);
}

/** The format of bytes, which a view has unless it is cast. */
export const BYTES: FormatInfo = FORMATS.get('B') as FormatInfo;
