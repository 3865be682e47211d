/**
 * A column that is needed for a moment. Its memory is given back at once, not with the next collection: the columns of a
 * large snapshot decide whether its analysis fits into memory.
 */

interface ResizableBuffer extends ArrayBuffer {
  resize(bytes: number): void;
}

const Resizable = ArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => ResizableBuffer;

export class ScratchColumn implements Disposable {
  readonly values: Uint32Array;
  readonly #buffer: ResizableBuffer;

  constructor(length: number) {
    const bytes = length * Uint32Array.BYTES_PER_ELEMENT;
    this.#buffer = new Resizable(bytes, { maxByteLength: bytes });
    this.values = new Uint32Array(this.#buffer);
  }

  [Symbol.dispose](): void {
    this.#buffer.resize(0);
  }
}
