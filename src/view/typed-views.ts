/**
 * Views that read their items by a typed array: one dimension of items that follow each other, at an aligned place of a buffer
 * that cannot change its length.
 *
 * `items[index]` is `undefined` for an index that is no item, and for every index of an empty array. So one comparison finds an
 * index out of bounds, a released view, and a buffer that was transferred. V8 drops even that comparison while it has seen no
 * such index: `at` then takes less than `DataView`. The first such index in a process costs later reads of its format 0.6 ns. An
 * index that counts from the end is therefore sorted out before.
 *
 * There is a class for each kind of item, with code of its own, because V8 records for each place in the code which arrays it has
 * met. A shared `at` would have met all ten kinds and take 35 ns.
 */
import { Kind } from './format.js';
import type { MemoryView } from './memory-view.js';
import type { StridedView } from './strided-view.js';
import { TypedView } from './typed-view.js';

const NO_UINT8 = new Uint8Array(0);

class Uint8View extends TypedView<'B'> {
  #items: Uint8Array = this.openItems(Uint8Array);
  #target: Uint8Array = this.readonly ? NO_UINT8 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && (value & 0xff) === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_UINT8;
    this.#target = NO_UINT8;
  }
}

const NO_INT8 = new Int8Array(0);

class Int8View extends TypedView<'b'> {
  #items: Int8Array = this.openItems(Int8Array);
  #target: Int8Array = this.readonly ? NO_INT8 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && (value << 24) >> 24 === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_INT8;
    this.#target = NO_INT8;
  }
}

const NO_UINT16 = new Uint16Array(0);

class Uint16View extends TypedView<'H'> {
  #items: Uint16Array = this.openItems(Uint16Array);
  #target: Uint16Array = this.readonly ? NO_UINT16 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && (value & 0xffff) === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_UINT16;
    this.#target = NO_UINT16;
  }
}

const NO_INT16 = new Int16Array(0);

class Int16View extends TypedView<'h'> {
  #items: Int16Array = this.openItems(Int16Array);
  #target: Int16Array = this.readonly ? NO_INT16 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && (value << 16) >> 16 === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_INT16;
    this.#target = NO_INT16;
  }
}

const NO_UINT32 = new Uint32Array(0);

class Uint32View extends TypedView<'I'> {
  #items: Uint32Array = this.openItems(Uint32Array);
  #target: Uint32Array = this.readonly ? NO_UINT32 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && value >>> 0 === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_UINT32;
    this.#target = NO_UINT32;
  }
}

const NO_INT32 = new Int32Array(0);

class Int32View extends TypedView<'i'> {
  #items: Int32Array = this.openItems(Int32Array);
  #target: Int32Array = this.readonly ? NO_INT32 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number' && (value | 0) === value) target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_INT32;
    this.#target = NO_INT32;
  }
}

const NO_BIGUINT64 = new BigUint64Array(0);

class BigUint64View extends TypedView<'Q'> {
  #items: BigUint64Array = this.openItems(BigUint64Array);
  #target: BigUint64Array = this.readonly ? NO_BIGUINT64 : this.#items;

  override at(index: number, second?: number): bigint {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as bigint) : item;
  }

  override set(index: number, value: bigint): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'bigint' && BigInt.asUintN(64, value) === value)
      target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_BIGUINT64;
    this.#target = NO_BIGUINT64;
  }
}

const NO_BIGINT64 = new BigInt64Array(0);

class BigInt64View extends TypedView<'q'> {
  #items: BigInt64Array = this.openItems(BigInt64Array);
  #target: BigInt64Array = this.readonly ? NO_BIGINT64 : this.#items;

  override at(index: number, second?: number): bigint {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as bigint) : item;
  }

  override set(index: number, value: bigint): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'bigint' && BigInt.asIntN(64, value) === value)
      target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_BIGINT64;
    this.#target = NO_BIGINT64;
  }
}

const NO_FLOAT32 = new Float32Array(0);

class Float32View extends TypedView<'f'> {
  #items: Float32Array = this.openItems(Float32Array);
  #target: Float32Array = this.readonly ? NO_FLOAT32 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number') target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_FLOAT32;
    this.#target = NO_FLOAT32;
  }
}

const NO_FLOAT64 = new Float64Array(0);

class Float64View extends TypedView<'d'> {
  #items: Float64Array = this.openItems(Float64Array);
  #target: Float64Array = this.readonly ? NO_FLOAT64 : this.#items;

  override at(index: number, second?: number): number {
    const isPlain = second === undefined && typeof index === 'number' && index >= 0;
    const item = isPlain ? this.#items[index] : undefined;
    return item === undefined ? (this.slowAt(index, second) as number) : item;
  }

  override set(index: number, value: number): void {
    const target = this.#target;
    const isItem = typeof index === 'number' && index >= 0 && target[index] !== undefined;
    if (isItem && typeof value === 'number') target[index] = value;
    else this.slowSet(index, value);
  }

  protected override close(): void {
    this.#items = NO_FLOAT64;
    this.#target = NO_FLOAT64;
  }
}

type TypedViewClass = new (view: StridedView<never>) => MemoryView;

/** The class for each kind. A kind is missing if no typed array reads it on every version of Node, or as another type. */
export const TYPED: Readonly<Partial<Record<Kind, TypedViewClass>>> = {
  [Kind.Uint8]: Uint8View,
  [Kind.Int8]: Int8View,
  [Kind.Uint16]: Uint16View,
  [Kind.Int16]: Int16View,
  [Kind.Uint32]: Uint32View,
  [Kind.Int32]: Int32View,
  [Kind.BigUint64]: BigUint64View,
  [Kind.BigInt64]: BigInt64View,
  [Kind.Float32]: Float32View,
  [Kind.Float64]: Float64View,
};
