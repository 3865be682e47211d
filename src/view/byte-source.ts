/** The objects that have bytes, and where their bytes are. */
import { ofAnotherCopy } from '../core/class-name.js';
import { InvalidArgumentError } from '../core/errors.js';
import { goneError } from './region.js';

/** The key of the method by which an exporter gives the region of its bytes. */
export const exportedRegion: unique symbol = Symbol('tenure.exportedRegion');

/** An object that counts the views of its bytes: an {@link Exporter}. */
export interface CountingSource {
  /** Gives the region that the views are made of. */
  [exportedRegion](): BytesPlace;
}

/** Anything with bytes that can be viewed: a typed array, a Buffer, a DataView, an ArrayBuffer, a SharedArrayBuffer, an Exporter. */
export type BytesSource = ArrayBufferView | ArrayBufferLike | CountingSource;

/** Where bytes are. */
export interface BytesPlace {
  /** The buffer that has them. */
  readonly buffer: ArrayBufferLike;
  /** Where they begin in the buffer. */
  readonly byteOffset: number;
  /** How many there are. */
  readonly byteLength: number;
}

/**
 * Gives where the bytes of a source are; `undefined` if it has none. A buffer may be one of another realm. A resizable buffer
 * counts with its present length.
 *
 * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) for a typed array or a DataView of a buffer that was transferred, or is too
 * short now.
 */
export function placeOfBytes(source: unknown): BytesPlace | undefined {
  if (ArrayBuffer.isView(source)) return placeInBuffer(source);
  if (typeof source !== 'object' || source === null) return undefined;
  if (exportedRegion in source) return (source as CountingSource)[exportedRegion]();
  const byteLength = lengthOfBuffer(source);
  return byteLength === undefined
    ? undefined
    : { buffer: source as ArrayBufferLike, byteOffset: 0, byteLength };
}

/** Without its bytes, a DataView throws, and a typed array says that it has 0 bytes: only its methods throw. */
function placeInBuffer(view: ArrayBufferView): BytesPlace {
  try {
    const { buffer, byteOffset, byteLength } = view;
    if (byteLength === 0 && 'length' in view) Reflect.apply(Uint8Array.prototype.keys, view, []);
    return { buffer, byteOffset, byteLength };
  } catch (error) {
    throw goneError(view.buffer, error);
  }
}

/**
 * Gives where the bytes of a source are.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for anything that has no bytes.
 */
export function requirePlaceOfBytes(where: string, source: unknown): BytesPlace {
  const place = placeOfBytes(source);
  if (place !== undefined) return place;
  const kind = typeof source === 'object' ? 'an object' : `a ${typeof source}`;
  const isArray = Array.isArray(source);
  const found = source === null || source === undefined ? `${source}` : isArray ? 'an array' : kind;
  throw new InvalidArgumentError(
    `${where}: the source must be a typed array, a Buffer, a DataView, an ArrayBuffer, a SharedArrayBuffer, an Exporter or a MemoryView, got ${ofAnotherCopy(source) ?? found}. Encode text with TextEncoder first.`,
  );
}

/**
 * Gives the bytes at a place, without copying them.
 *
 * @throws {@link ViewDetachedError} (`TENURE_VIEW_DETACHED`) if the buffer was transferred.
 */
export function bytesAt({ buffer, byteOffset, byteLength }: BytesPlace): Uint8Array {
  try {
    return new Uint8Array(buffer, byteOffset, byteLength);
  } catch (error) {
    throw goneError(buffer, error);
  }
}

const BUFFER_LENGTHS = [ArrayBuffer, globalThis.SharedArrayBuffer].flatMap((type) => {
  const getter = type && Object.getOwnPropertyDescriptor(type.prototype, 'byteLength')?.get;
  return getter === undefined ? [] : [getter];
});

/** Gives the length of a buffer; `undefined` if it is none. The getters know the buffers of every realm. */
function lengthOfBuffer(value: object): number | undefined {
  for (const getter of BUFFER_LENGTHS) {
    try {
      return Reflect.apply(getter, value, []) as number;
    } catch {
      // It is no buffer of this type.
    }
  }
  return undefined;
}
