/**
 * Reads and writes one item. Writing checks the value first: `DataView.setUint8(0, 300)` stores 44 and
 * `setUint8(0, 'x')` stores 0, both without an error, where CPython raises.
 *
 * Each function is one `switch` over the kind. A call site that sees six formats runs it in 10 ns; a closure for each format
 * takes up to 35.
 */
import { LITTLE_ENDIAN } from './byte-order.js';
import { type FormatInfo, Kind } from './format.js';
import { halfFloatBits, halfFloatOf } from './half-float.js';
import { type ViewError, ViewFormatError, ViewRangeError } from './view-errors.js';

/** An item of any format. */
export type AnyItem = number | bigint | boolean | Uint8Array;

/** Gives the item at a byte offset. Throws what `DataView` throws if the offset is out of its bounds. */
export function readItem(data: DataView, at: number, kind: Kind): AnyItem {
  switch (kind) {
    case Kind.Uint8:
      return data.getUint8(at);
    case Kind.Int8:
      return data.getInt8(at);
    case Kind.Uint16:
      return data.getUint16(at, LITTLE_ENDIAN);
    case Kind.Int16:
      return data.getInt16(at, LITTLE_ENDIAN);
    case Kind.Uint32:
      return data.getUint32(at, LITTLE_ENDIAN);
    case Kind.Int32:
      return data.getInt32(at, LITTLE_ENDIAN);
    case Kind.BigUint64:
      return data.getBigUint64(at, LITTLE_ENDIAN);
    case Kind.BigInt64:
      return data.getBigInt64(at, LITTLE_ENDIAN);
    case Kind.Float32:
      return data.getFloat32(at, LITTLE_ENDIAN);
    case Kind.Float64:
      return data.getFloat64(at, LITTLE_ENDIAN);
    case Kind.Float16:
      return halfFloatOf(data.getUint16(at, LITTLE_ENDIAN));
    case Kind.Boolean:
      return data.getUint8(at) !== 0;
    case Kind.Byte:
      return Uint8Array.of(data.getUint8(at));
  }
}

/**
 * Stores an item at a byte offset.
 *
 * @throws {@link ViewFormatError} (`TENURE_VIEW_FORMAT`) for a value of another type; {@link ViewRangeError}
 * (`TENURE_VIEW_RANGE`) for a value that the format cannot hold. Nothing is stored then.
 */
export function writeItem(data: DataView, at: number, format: FormatInfo, value: unknown): void {
  switch (format.kind) {
    case Kind.Uint8:
      data.setUint8(at, integerOf(format, value, 0, 0xff));
      return;
    case Kind.Int8:
      data.setInt8(at, integerOf(format, value, -0x80, 0x7f));
      return;
    case Kind.Uint16:
      data.setUint16(at, integerOf(format, value, 0, 0xffff), LITTLE_ENDIAN);
      return;
    case Kind.Int16:
      data.setInt16(at, integerOf(format, value, -0x8000, 0x7fff), LITTLE_ENDIAN);
      return;
    case Kind.Uint32:
      data.setUint32(at, integerOf(format, value, 0, 0xffff_ffff), LITTLE_ENDIAN);
      return;
    case Kind.Int32:
      data.setInt32(at, integerOf(format, value, -0x8000_0000, 0x7fff_ffff), LITTLE_ENDIAN);
      return;
    case Kind.BigUint64:
      data.setBigUint64(at, bigintOf(format, value, BigInt.asUintN), LITTLE_ENDIAN);
      return;
    case Kind.BigInt64:
      data.setBigInt64(at, bigintOf(format, value, BigInt.asIntN), LITTLE_ENDIAN);
      return;
    case Kind.Float32:
      data.setFloat32(at, numberOf(format, value), LITTLE_ENDIAN);
      return;
    case Kind.Float64:
      data.setFloat64(at, numberOf(format, value), LITTLE_ENDIAN);
      return;
    case Kind.Float16: {
      const bits = halfFloatBits(numberOf(format, value));
      if (bits === undefined)
        throw outOfRange(format, String(value), 'a number between -65520 and 65520');
      data.setUint16(at, bits, LITTLE_ENDIAN);
      return;
    }
    case Kind.Boolean: // CPython stores the truth of any object.
      data.setUint8(at, value ? 1 : 0);
      return;
    case Kind.Byte:
      data.setUint8(at, byteOf(format, value as Uint8Array));
      return;
  }
}

function integerOf(format: FormatInfo, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  throw noInteger(format, value, least, most);
}

function noInteger(format: FormatInfo, value: unknown, least: number, most: number): ViewError {
  const wanted = `an integer from ${least} to ${most}`;
  return Number.isInteger(value)
    ? outOfRange(format, String(value), wanted)
    : wrongType(format, value, wanted);
}

function bigintOf(
  format: FormatInfo,
  value: unknown,
  wrap: (bits: number, value: bigint) => bigint,
): bigint {
  if (typeof value === 'bigint' && wrap(64, value) === value) return value;
  const range = wrap(1, 1n) < 0n ? '-(2n ** 63n) to 2n ** 63n - 1n' : '0n to 2n ** 64n - 1n';
  const wanted = `a bigint from ${range}`;
  throw typeof value === 'bigint'
    ? outOfRange(format, `${value}n`, wanted)
    : wrongType(format, value, wanted);
}

function numberOf(format: FormatInfo, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(format, value, 'a number');
  return value;
}

/** Gives the name of the class of a typed array of any realm; `undefined` for anything else. Reads no property of it. */
const classNameOf = /* @__PURE__ */ Reflect.getOwnPropertyDescriptor(
  /* @__PURE__ */ Reflect.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)?.get as () => unknown;

/** Gives the byte in an array of one. Calls no getter of the array: it could release the view that is about to be changed. */
function byteOf(format: FormatInfo, value: Uint8Array): number {
  const wanted = 'a Uint8Array of length 1';
  if (Reflect.apply(classNameOf, value, []) !== 'Uint8Array') {
    throw wrongType(format, value, wanted);
  }
  const byte = value[0];
  if (byte === undefined || value[1] !== undefined) {
    throw outOfRange(format, `a Uint8Array of length ${value.length}`, wanted);
  }
  return byte;
}

function wrongType({ name }: FormatInfo, value: unknown, wanted: string): ViewFormatError {
  return new ViewFormatError(
    `MemoryView.set: format '${name}' stores ${wanted}, got ${described(value)}. Convert the value, or cast the view.`,
  );
}

function outOfRange({ name }: FormatInfo, found: string, wanted: string): ViewRangeError {
  return new ViewRangeError(
    `MemoryView.set: format '${name}' stores ${wanted}, got ${found}. Check the value, or cast to a wider format.`,
  );
}

function described(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'symbol' || typeof value === 'function'
    ? `a ${typeof value}`
    : String(value);
}
