/**
 * A slab: one buffer that is lent in parts of one size. From 4 KiB on, and above `maxBuffer`, a slab has one part. A smaller
 * buffer of its own would cost more than its bytes: V8 takes 100 to 200 bytes for each ArrayBuffer.
 */
import type { Linked } from '../core/linked-list.js';
import { type BufferLender, registerLender } from './lent-buffers.js';
import { makeView } from './make-view.js';
import type { ViewRegion } from './memory-view.js';
import { type ExportWatch, Region } from './region.js';
import { ViewReleasedError } from './view-errors.js';

/** The memory of one lease. */
export class BufferPart {
  readonly slab: BufferSlab;
  readonly byteOffset: number;
  /** How many bytes the present lease asked for. */
  length: number;
  /** The bytes of the present lease. They are kept for the next lease: an array costs as much as the rest of a lease. */
  bytes: Uint8Array;
  isOut = true;
  /** The next free part of the slab, while this one is free. */
  nextFree: BufferPart | null = null;
  #region: ViewRegion | null = null;

  constructor(slab: BufferSlab, byteOffset: number, length: number) {
    this.slab = slab;
    this.byteOffset = byteOffset;
    this.length = length;
    this.bytes = new Uint8Array(slab.buffer, byteOffset, length);
  }

  /** The region that views of the lease are made of. */
  get region(): ViewRegion {
    const { buffer, partBytes, observed } = this.slab;
    this.#region ??= new Region(buffer, this.byteOffset, partBytes, makeView);
    this.#region.watch = observed.watch;
    return this.#region;
  }

  /** How many views of the lease are alive. */
  get exports(): number {
    return this.#region === null ? 0 : this.#region.exports;
  }

  /** Whether the buffer was transferred to another owner during the lease. */
  get isGone(): boolean {
    return this.length === 0 ? this.slab.isGone : this.bytes.length !== this.length;
  }

  /** Lends the part for this many bytes. Gives `false` if the buffer was transferred to another owner. */
  lend(length: number): boolean {
    if (this.bytes.length !== length || length === 0) {
      if (this.slab.isGone) return false;
      this.bytes = new Uint8Array(this.slab.buffer, this.byteOffset, length);
    }
    this.length = length;
    this.isOut = true;
    return true;
  }

  /** Overwrites all bytes with 0. */
  clear(): void {
    new Uint8Array(this.slab.buffer, this.byteOffset, this.slab.partBytes).fill(0);
  }
}

/** What has the observer of views, if there is one. */
export interface Observed {
  readonly watch: ExportWatch | null;
}

/** One buffer of a pool. */
export class BufferSlab implements BufferLender, Linked<BufferSlab> {
  readonly buffer: ArrayBufferLike;
  readonly partBytes: number;
  /** The size of the buffer, also after it was transferred. */
  readonly byteLength: number;
  /** The number of its size; below 0 if it is kept for no later lease. */
  readonly sizeClass: number;
  readonly observed: Observed;
  readonly #partCount: number;
  readonly #parts: BufferPart[] = [];
  /** The first of the free parts, which are a list. */
  #free: BufferPart | null = null;
  /** How many parts are lent. */
  out = 0;
  /** Set when a part is left to its views, or the buffer was transferred: no part is lent again. */
  isRetired = false;
  /** Whether it is in the list of slabs with lent and with free parts. */
  isLentInPart = false;
  previous: BufferSlab | null = null;
  next: BufferSlab | null = null;

  constructor(
    buffer: ArrayBufferLike,
    partBytes: number,
    partCount: number,
    sizeClass: number,
    observed: Observed,
  ) {
    this.buffer = buffer;
    this.partBytes = partBytes;
    this.byteLength = buffer.byteLength;
    this.#partCount = partCount;
    this.sizeClass = sizeClass;
    this.observed = observed;
    registerLender(buffer, this);
  }

  /** Whether the buffer was transferred to another owner. */
  get isGone(): boolean {
    return this.buffer.byteLength !== this.byteLength;
  }

  /** Whether every part is lent. */
  get isFull(): boolean {
    return this.out === this.#partCount;
  }

  /** The bytes that its leases asked for. */
  get lentBytes(): number {
    return this.#parts.reduce((sum, part) => sum + (part.isOut ? part.length : 0), 0);
  }

  /** Lends a free part; there must be one. Gives `undefined` if the buffer was transferred to another owner. */
  take(length: number): BufferPart | undefined {
    const part = this.#free;
    if (part === null) {
      if (this.isGone) return undefined;
      const made = new BufferPart(this, this.#parts.length * this.partBytes, length);
      this.#parts.push(made);
      this.out++;
      return made;
    }
    if (!part.lend(length)) return undefined;
    this.#free = part.nextFree;
    this.out++;
    return part;
  }

  /** Takes a part back. */
  giveBack(part: BufferPart): void {
    this.out--;
    part.nextFree = this.#free;
    this.#free = part;
  }

  regionAt(byteOffset: number, byteLength: number): ViewRegion | undefined {
    const part = this.#parts[Math.floor(byteOffset / this.partBytes)];
    if (part === undefined || byteOffset + byteLength > part.byteOffset + this.partBytes) {
      return undefined;
    }
    if (!part.isOut) {
      throw new ViewReleasedError(
        'memoryview: the bytes are those of a lease that has ended, and may be lent to another holder. Make views before the release of the lease.',
      );
    }
    return part.region;
  }
}
