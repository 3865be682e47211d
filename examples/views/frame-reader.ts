/** Puts frames together from the pieces that a socket delivers: four bytes of length, high byte first, then the payload. */
import type { BufferLease, BufferPool } from 'tenure/view';

const HEADER_BYTES = 4;

/** The frames of one connection. Each is read into bytes that are leased for it. */
export class FrameReader implements Disposable {
  readonly #pool: BufferPool;
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #lease: BufferLease | null = null;
  #filled = 0;

  constructor(pool: BufferPool, maxBytes: number) {
    this.#pool = pool;
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes a piece, and calls `onFrame` with each frame that it completes. The callee owns the lease of the frame. Throws for a
   * frame of more bytes than are allowed.
   */
  read(piece: Uint8Array, onFrame: (frame: BufferLease) => void): void {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#lease === null) rest = this.#readHeader(rest);
      if (this.#lease === null) return;
      rest = this.#readPayload(this.#lease, rest);
      if (this.#filled < this.#lease.bytes.length) return;
      const frame = this.#lease;
      this.#lease = null;
      this.#headerFilled = 0;
      this.#filled = 0;
      onFrame(frame);
    }
  }

  /** Gives the bytes of an incomplete frame back. */
  [Symbol.dispose](): void {
    this.#lease?.release();
    this.#lease = null;
  }

  #readHeader(piece: Uint8Array): Uint8Array {
    const part = piece.subarray(0, HEADER_BYTES - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled === HEADER_BYTES) {
      const length = new DataView(this.#header.buffer).getUint32(0);
      if (length > this.#maxBytes) throw new RangeError(`a frame of ${length} bytes is too long`);
      this.#lease = this.#pool.lease(length);
    }
    return piece.subarray(part.length);
  }

  #readPayload({ bytes }: BufferLease, piece: Uint8Array): Uint8Array {
    const part = piece.subarray(0, bytes.length - this.#filled);
    bytes.set(part, this.#filled);
    this.#filled += part.length;
    return piece.subarray(part.length);
  }
}
