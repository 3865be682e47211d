/** A set of small integers, one bit each: a `Set` ends at 2^24 members. */
export class IndexSet implements Iterable<number> {
  readonly bits: Uint8Array;

  /** Has room for the integers from 0 to `size` − 1. */
  constructor(size: number) {
    this.bits = new Uint8Array((size + 7) >>> 3);
  }

  add(index: number): void {
    this.bits[index >>> 3] = (this.bits[index >>> 3] as number) | (1 << (index & 7));
  }

  has(index: number): boolean {
    return ((this.bits[index >>> 3] as number) & (1 << (index & 7))) !== 0;
  }

  /** Gives the members in ascending order. */
  *[Symbol.iterator](): Iterator<number> {
    for (let byte = 0; byte < this.bits.length; byte++) {
      if (this.bits[byte] === 0) continue;
      for (let index = byte * 8; index < byte * 8 + 8; index++) if (this.has(index)) yield index;
    }
  }
}
