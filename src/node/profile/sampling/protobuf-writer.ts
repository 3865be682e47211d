/**
 * Writes the three sorts of fields of Protocol Buffers that pprof uses: integers, packed lists of integers, and nested messages
 * or strings. Source: https://protobuf.dev/programming-guides/encoding.
 */
export class ProtobufWriter {
  readonly #bytes: number[] = [];

  /** Writes an integer ≥ 0; nothing for 0, which is the default of every field. */
  integer(field: number, value: number): void {
    if (value === 0) return;
    this.#varint(field * 8);
    this.#varint(value);
  }

  /** Writes a list of integers ≥ 0. */
  integers(field: number, values: readonly number[]): void {
    const list = new ProtobufWriter();
    for (const value of values) list.#varint(value);
    this.bytes(field, list.#bytes);
  }

  message(field: number, write: (message: ProtobufWriter) => void): void {
    const message = new ProtobufWriter();
    write(message);
    this.bytes(field, message.#bytes);
  }

  string(field: number, text: string): void {
    this.bytes(field, new TextEncoder().encode(text));
  }

  bytes(field: number, bytes: ArrayLike<number>): void {
    this.#varint(field * 8 + 2);
    this.#varint(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#bytes.push(bytes[i] as number);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  /** Writes seven bits a byte, the lowest first. Division keeps integers above 32 bits whole. */
  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.#bytes.push(rest);
  }
}
