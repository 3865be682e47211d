/**
 * A column that is needed for a moment. Its memory is given back at once where the engine has resizable buffers, and not with
 * the next collection: the columns of a large snapshot decide whether its analysis fits into memory.
 */

interface ResizableBuffer extends ArrayBuffer {
  resize?(bytes: number): void;
}

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ResizableBuffer;

/** A column of 32-bit integers, 0 at first. Access is slower than with a plain one, by half. */
export class ScratchColumn {
  readonly values: Uint32Array;
  readonly #buffer: ResizableBuffer;

  constructor(length: number) {
    const bytes = length * Uint32Array.BYTES_PER_ELEMENT;
    this.#buffer = new Resizable(bytes, { maxByteLength: bytes });
    this.values = new Uint32Array(this.#buffer);
  }

  /** Gives the memory back. The column is empty from now on. */
  free(): void {
    this.#buffer.resize?.(0);
  }
}
