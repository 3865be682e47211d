/**
 * The memory of a buffer pool: the slabs of each size, lent and idle.
 *
 * ```
 *             ┌────── full: no list ◀──┐
 *   new ──▶ lent in part ─────────────▶│
 *             ▲   │ last part back     │
 *             │   ▼                    │
 *             └─ idle ──▶ dropped: too many bytes idle, or idle for too long
 * ```
 *
 * - A part is taken of a slab that is lent in part, before an idle slab is broken. So slabs come back whole.
 * - Idle slabs are a stack. The low-water mark of a stack is how many of its slabs were not needed since the last tick of the
 *   sweep. Dropping that many needs no time stamp for a slab.
 * - Where idle bytes are at their limit, slabs of the size that was lent least recently are dropped first. Go's sync.Pool has no
 *   such order, and its buffers all end up as large as the largest (golang/go#23199).
 */
import { Deque } from '../core/deque.js';
import { LinkedList } from '../core/linked-list.js';
import { type BufferPart, BufferSlab, type Observed } from './buffer-slab.js';
import type { ExportWatch } from './region.js';
import { bytesOfClass, type ClassesPerDoubling, sizeClassOf } from './size-classes.js';

/** What the stock is told of its limits. */
export interface BufferStockSettings {
  readonly maxBytes: number;
  readonly maxBuffer: number;
  readonly classesPerDoubling: ClassesPerDoubling;
  readonly zero: boolean;
  readonly shared: boolean;
}

/** The figures of a buffer pool. `outBytes`, `idleBytes` and `waste` together are all the memory that the pool holds. */
export interface BufferPoolStats {
  /** Leases that have not ended. */
  readonly out: number;
  /** Bytes that these leases asked for. */
  readonly outBytes: number;
  /** Bytes that are kept for later leases: buffers and slabs of which no part is lent. At most `maxBytes`. */
  readonly idleBytes: number;
  /** Leases that were given memory that was there. */
  readonly hits: number;
  /** Leases for which memory was made, oversize ones included. */
  readonly misses: number;
  /** Leases of more than `maxBuffer` bytes. */
  readonly oversize: number;
  /** Bytes that leases hold beyond what they asked for: up to the next size, and the free parts of their slabs. */
  readonly waste: number;
  /** Double releases, and releases with views alive, that were counted instead of thrown. */
  readonly misuse: number;
}

/** Buffers of this size and above are no parts of a slab. */
const SMALLEST_OWN_BUFFER = 4_096;
const SLAB_BYTES = 65_536;
/** With less to keep than this, every buffer is its own: one lent part would keep too much of the limit. */
const MIN_FOR_SLABS = 16 * SLAB_BYTES;

/** The number of the size of a slab that is kept for no later lease. */
const OVERSIZE = -1;

/** The slabs of one size. */
class SizeStock {
  readonly partBytes: number;
  readonly partCount: number;
  /** Slabs with lent and with free parts. */
  readonly lentInPart = new LinkedList<BufferSlab>();
  readonly idle = new Deque<BufferSlab>();
  /** The part that came back last, if it is one of several: the next lease takes it without a look at its slab. */
  spare: BufferPart | null = null;
  lowWater = 0;
  /** The count of leases when this size was lent last. */
  usedAt = 0;

  constructor(partBytes: number, partCount: number) {
    this.partBytes = partBytes;
    this.partCount = partCount;
  }

  /** Puts a slab into the list of those that are lent in part, or removes it. */
  listLentInPart(slab: BufferSlab, isLentInPart: boolean): void {
    if (slab.isLentInPart === isLentInPart) return;
    slab.isLentInPart = isLentInPart;
    if (isLentInPart) this.lentInPart.append(slab);
    else this.lentInPart.remove(slab);
  }
}

/** The slabs of a pool. */
export class BufferStock implements Observed {
  readonly #maxBuffer: number;
  readonly #isZeroing: boolean;
  readonly #isShared: boolean;
  readonly #log2: number;
  readonly #sizes: readonly SizeStock[];
  #out = 0;
  #outBytes = 0;
  #heldBytes = 0;
  #leases = 0;
  #misses = 0;
  #oversize = 0;
  /** The most idle bytes; -1 after the pool is closed. */
  #maxIdleBytes: number;
  /** Bytes of idle slabs. */
  idleBytes = 0;
  /** Misuse that was counted instead of thrown. */
  misuse = 0;
  /** The observer of leases and of their views. */
  watch: ExportWatch | null = null;

  constructor(settings: BufferStockSettings) {
    const { maxBuffer, maxBytes, classesPerDoubling } = settings;
    this.#maxBuffer = maxBuffer;
    this.#maxIdleBytes = maxBytes;
    this.#isZeroing = settings.zero;
    this.#isShared = settings.shared;
    this.#log2 = Math.log2(classesPerDoubling);
    this.#sizes = Array.from({ length: sizeClassOf(maxBuffer, this.#log2) + 1 }, (_, i) => {
      const partBytes = bytesOfClass(i, this.#log2);
      const isCarved = partBytes < SMALLEST_OWN_BUFFER && maxBytes >= MIN_FOR_SLABS;
      return new SizeStock(partBytes, isCarved ? Math.floor(SLAB_BYTES / partBytes) : 1);
    });
  }

  /** Gives the figures at this moment. O(sizes). */
  stats(): BufferPoolStats {
    this.#putSparesBack();
    return {
      out: this.#out,
      outBytes: this.#outBytes,
      idleBytes: this.idleBytes,
      hits: this.#leases - this.#misses,
      misses: this.#misses,
      oversize: this.#oversize,
      waste: this.#heldBytes - this.#outBytes - this.idleBytes,
      misuse: this.misuse,
    };
  }

  /** Lends memory of this many bytes. Throws what the engine throws if it has no memory; nothing is lent then. */
  take(length: number): BufferPart {
    const part =
      length > this.#maxBuffer
        ? (this.#makeOversize(length).take(length) as BufferPart)
        : this.#takeOfSize(this.#sizes[sizeClassOf(length, this.#log2)] as SizeStock, length);
    this.#out++;
    this.#outBytes += length;
    return part;
  }

  /** Takes memory back. With `isLeftToViews`, views of it live on, so it is never lent again. */
  giveBack(part: BufferPart, isLeftToViews: boolean): void {
    const { slab, length } = part;
    part.isOut = false;
    this.#out--;
    this.#outBytes -= length;
    if (slab.isRetired) {
      this.#heldBytes -= length;
      return;
    }
    const size = this.#sizes[slab.sizeClass];
    if (size === undefined || isLeftToViews || part.isGone) {
      this.#retire(slab);
      return;
    }
    if (this.#isZeroing) part.clear();
    if (size.partCount > 1 && size.spare === null && this.#maxIdleBytes >= 0) size.spare = part;
    else this.#putBack(size, part);
  }

  /** Drops what was not needed since the last tick. */
  tick(): void {
    this.#putSparesBack();
    for (const size of this.#sizes) {
      this.#dropLongestIdle(size, size.lowWater);
      size.lowWater = size.idle.length;
    }
  }

  /** Drops everything that is idle. */
  trim(): void {
    this.#putSparesBack();
    for (const size of this.#sizes) this.#dropLongestIdle(size, size.idle.length);
  }

  /** Drops everything that is idle, and keeps nothing that comes back. */
  close(): void {
    this.#maxIdleBytes = -1;
    this.trim();
  }

  #takeOfSize(size: SizeStock, length: number): BufferPart {
    size.usedAt = ++this.#leases;
    const { spare } = size;
    if (spare !== null) {
      size.spare = null;
      if (spare.lend(length)) return spare;
      this.#retire(spare.slab);
    }
    const slab = size.lentInPart.last ?? this.#takeIdle(size) ?? this.#makeSlab(size, length);
    const part = slab.take(length);
    if (part === undefined) {
      this.#retire(slab);
      this.#leases--;
      return this.#takeOfSize(size, length);
    }
    size.listLentInPart(slab, !slab.isFull);
    return part;
  }

  #putSparesBack(): void {
    for (const size of this.#sizes) {
      const { spare } = size;
      size.spare = null;
      if (spare !== null) this.#putBack(size, spare);
    }
  }

  #putBack(size: SizeStock, part: BufferPart): void {
    const { slab } = part;
    slab.giveBack(part);
    if (slab.out === 0) this.#keepIdle(size, slab);
    else size.listLentInPart(slab, true);
  }

  #takeIdle(size: SizeStock): BufferSlab | undefined {
    const slab = size.idle.pop();
    if (slab === undefined) return undefined;
    if (size.idle.length < size.lowWater) size.lowWater = size.idle.length;
    this.idleBytes -= slab.byteLength;
    return slab;
  }

  #makeSlab(size: SizeStock, length: number): BufferSlab {
    const { partBytes, partCount } = size;
    const sizeClass = sizeClassOf(length, this.#log2);
    return this.#make(partBytes, partCount, sizeClass);
  }

  #makeOversize(length: number): BufferSlab {
    const slab = this.#make(length, 1, OVERSIZE);
    this.#leases++;
    this.#oversize++;
    return slab;
  }

  #make(partBytes: number, partCount: number, sizeClass: number): BufferSlab {
    const Memory = this.#isShared ? SharedArrayBuffer : ArrayBuffer;
    // A typed array may have a lower limit than its buffer, as on Node 20. Then nothing must be counted.
    const { buffer } = new Uint8Array(new Memory(partBytes * partCount));
    this.#misses++;
    this.#heldBytes += buffer.byteLength;
    return new BufferSlab(buffer, partBytes, partCount, sizeClass, this);
  }

  #keepIdle(size: SizeStock, slab: BufferSlab): void {
    size.listLentInPart(slab, false);
    if (!this.#makeRoom(slab.byteLength, size)) {
      this.#heldBytes -= slab.byteLength;
      return;
    }
    size.idle.push(slab);
    this.idleBytes += slab.byteLength;
  }

  /** Drops idle slabs of other sizes until there is room for so many idle bytes. Gives `false` if there is none. */
  #makeRoom(bytes: number, size: SizeStock): boolean {
    if (bytes > this.#maxIdleBytes) return false;
    while (this.idleBytes + bytes > this.#maxIdleBytes) {
      const other = this.#leastRecentlyLentBut(size);
      if (other === undefined) return false;
      this.#dropLongestIdle(other, 1);
    }
    return true;
  }

  #leastRecentlyLentBut(size: SizeStock): SizeStock | undefined {
    let least: SizeStock | undefined;
    for (const other of this.#sizes) {
      if (other === size || other.idle.length === 0) continue;
      if (least === undefined || other.usedAt < least.usedAt) least = other;
    }
    return least;
  }

  /** Drops this many idle slabs of a size, those first that were idle longest. */
  #dropLongestIdle(size: SizeStock, count: number): void {
    for (let i = 0; i < count; i++) {
      const slab = size.idle.shift() as BufferSlab;
      this.idleBytes -= slab.byteLength;
      this.#heldBytes -= slab.byteLength;
    }
    size.lowWater = Math.min(size.lowWater, size.idle.length);
  }

  /** Forgets a slab of which parts may be lent. Their holders keep it alive. */
  #retire(slab: BufferSlab): void {
    slab.isRetired = true;
    const size = this.#sizes[slab.sizeClass];
    size?.listLentInPart(slab, false);
    if (size?.spare?.slab === slab) size.spare = null;
    this.#heldBytes -= slab.byteLength - slab.lentBytes;
  }
}
