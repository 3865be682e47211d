/**
 * A view as a child would write it: the memory is an array of numbers, and a view is the list of the places of its items. Items
 * are decoded with Node's Buffer, so that it shares no code with the real view.
 */
export const MODEL_FORMATS = ['B', 'b', 'h', 'H', 'i', 'I', 'q', 'Q', 'f', 'd'] as const;

export type ModelFormat = (typeof MODEL_FORMATS)[number];

export const MODEL_SIZES: Readonly<Record<ModelFormat, number>> = {
  B: 1,
  b: 1,
  h: 2,
  H: 2,
  i: 4,
  I: 4,
  q: 8,
  Q: 8,
  f: 4,
  d: 8,
};

const READ: Readonly<Record<ModelFormat, (bytes: Buffer) => number | bigint>> = {
  B: (bytes) => bytes.readUInt8(0),
  b: (bytes) => bytes.readInt8(0),
  h: (bytes) => bytes.readInt16LE(0),
  H: (bytes) => bytes.readUInt16LE(0),
  i: (bytes) => bytes.readInt32LE(0),
  I: (bytes) => bytes.readUInt32LE(0),
  q: (bytes) => bytes.readBigInt64LE(0),
  Q: (bytes) => bytes.readBigUInt64LE(0),
  f: (bytes) => bytes.readFloatLE(0),
  d: (bytes) => bytes.readDoubleLE(0),
};

/** A view of one dimension. */
export class ArrayModel {
  readonly memory: number[];
  readonly format: ModelFormat;
  /** The place of the first byte of each item. */
  readonly places: readonly number[];

  constructor(memory: number[], format: ModelFormat, places: readonly number[]) {
    this.memory = memory;
    this.format = format;
    this.places = places;
  }

  static of(memory: number[]): ArrayModel {
    return new ArrayModel(
      memory,
      'B',
      memory.map((_, i) => i),
    );
  }

  items(): (number | bigint)[] {
    return this.places.map((place) => READ[this.format](Buffer.from(this.#bytesAt(place))));
  }

  bytes(): number[] {
    return this.places.flatMap((place) => this.#bytesAt(place));
  }

  slice(start: number | undefined, end: number | undefined, step: number | undefined): ArrayModel {
    return new ArrayModel(
      this.memory,
      this.format,
      indexes(this.places.length, start, end, step ?? 1).map((i) => this.places[i] as number),
    );
  }

  /** Gives `undefined` if the items do not follow each other, or do not fill the format. */
  cast(format: ModelFormat): ArrayModel | undefined {
    const size = MODEL_SIZES[this.format];
    const [first = 0] = this.places;
    if (this.places.some((place, i) => place !== first + i * size)) return undefined;
    if (!'bB'.includes(this.format) && !'bB'.includes(format)) return undefined;
    const bytes = this.places.length * size;
    const itemsize = MODEL_SIZES[format];
    if (bytes % itemsize !== 0) return undefined;
    const places = Array.from({ length: bytes / itemsize }, (_, i) => first + i * itemsize);
    return new ArrayModel(this.memory, format, places);
  }

  /** Gives `false` if the two do not have equal formats and lengths. */
  assign(from: ArrayModel): boolean {
    if (from.format !== this.format || from.places.length !== this.places.length) return false;
    const bytes = from.bytes();
    const size = MODEL_SIZES[this.format];
    for (const [i, place] of this.places.entries()) {
      for (let k = 0; k < size; k++) this.memory[place + k] = bytes[i * size + k] as number;
    }
    return true;
  }

  #bytesAt(place: number): number[] {
    return this.memory.slice(place, place + MODEL_SIZES[this.format]);
  }
}

/** The indexes of `[start:end:step]`, found by trying each index. */
function indexes(
  length: number,
  start: number | undefined,
  end: number | undefined,
  step: number,
): number[] {
  const fromEnd = (position: number) => (position < 0 ? position + length : position);
  const all = Array.from({ length }, (_, i) => i);
  if (step > 0) {
    const first = start === undefined ? 0 : Math.max(0, fromEnd(start));
    const last = end === undefined ? length : fromEnd(end);
    return all.filter((i) => i >= first && i < last && (i - first) % step === 0);
  }
  const first = start === undefined ? length - 1 : Math.min(length - 1, fromEnd(start));
  const last = end === undefined ? -1 : fromEnd(end);
  return all.filter((i) => i <= first && i > last && (first - i) % -step === 0).reverse();
}
