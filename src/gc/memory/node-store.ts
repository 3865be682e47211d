/**
 * The memory of a simulated heap: one typed array per field, one index per node.
 *
 * ```
 *   index    refcount  holds  gcWord  tag  meta  pair (2)   links (2)  listOf  sizes
 *   0..15    sentinels of the lists; 0 is "none"
 *   16..     nodes, or links of the free list
 *   bytes    4         4      4       4    4     8          8          1       (4)
 * ```
 *
 * A pass over the heap reads one or two fields of every node. With one array per field, it reads only a few bytes per
 * node. One record per node took two to three times as long when measured. Fields that are always used together lie
 * together: the two edges of a node, and its two links. `gcWord` is all that a collection reads of an edge's target:
 * its reference count and its state in one word.
 *
 * Growth costs amortised O(1) per node; see `store-growth.ts`. A node with two edges takes 37 bytes. It takes 4 more once any node has
 * a size, and 12 more once any weak reference was made.
 */

import { Census } from './census.js';
import { EdgeStore } from './edge-store.js';
import { FIRST_NODE, GenerationLists } from './generation-lists.js';
import { firstTagOfNextHeap, TAGS_PER_SLOT } from './handle.js';
import { StoreGrowth } from './store-growth.js';

/** Type of a node without a finalizer. */
export const PLAIN = 0;
/** Type of a node whose finalizer runs once, in cycles too. */
export const FINALIZABLE = 1;
/** Type of a weak reference. */
export const WEAK = 2;
/** Type of a node whose finalizer runs at each death by reference count, and which makes its cycles uncollectable. */
export const LEGACY = 3;
const TYPES = 4;

/** Bits of `meta`: the type, the flags, and from bit 16 the number of the kind. */
const TYPE_MASK = 0b11;
/** Set once the finalizer of the node has run. */
export const FLAG_FINALIZED = 0b100;
/** Set while the slot holds a node. */
export const FLAG_LIVE = 0b1000;
/** Set if the node has a finalizer or a callback. */
export const FLAG_CALLABLE = 0b10000;
/** Set for the weak reference that callers without a callback share. */
export const FLAG_SHARED = 0b100000;
const KIND_SHIFT = 16;
/** Maximum number of kinds. */
export const MAX_KINDS: number = 2 ** 16;

/**
 * Bit of `gcWord` for a node that is being collected and is not found reachable. Else `gcWord` is 0. Higher bits count
 * references.
 */
export const COLLECTING = 0b01;
/** Bit of `gcWord` for a node that a scan has moved to the unreachable list tentatively. */
export const TENTATIVE = 0b10;
/** One reference in `gcWord`. */
export const ONE_REFERENCE = 0b100;

const FIRST_CAPACITY = 1_024;
/** Maximum size of a node, in bytes. */
export const MAX_NODE_SIZE: number = 2 ** 32 - 1;

export class NodeStore {
  readonly edges: EdgeStore;
  readonly lists: GenerationLists = new GenerationLists(FIRST_CAPACITY);
  /** Counts of the nodes by class, or `null` if the heap counts none. */
  readonly census: Census | null;
  /** Number of references: edges, holds, and references that the heap owns while it works on the node. */
  refcount: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Number of references from outside the heap, which the caller has to end. */
  holds: Int32Array = new Int32Array(FIRST_CAPACITY);
  gcWord: Int32Array = new Int32Array(FIRST_CAPACITY);
  tag: Int32Array = new Int32Array(FIRST_CAPACITY);
  meta: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Sizes in bytes. Empty until a node has a size. */
  sizes: Uint32Array = new Uint32Array(0);
  /** Number of nodes of each type except plain ones. `nonPlainCount` is their sum. */
  readonly countByType: Int32Array = new Int32Array(TYPES);
  nonPlainCount = 0;
  /** One more than the highest slot that was ever used. */
  end: number = FIRST_NODE;
  /** Maximum number of live nodes at one time. */
  peakLive = 0;
  /** Tag of the first node in each slot. */
  readonly firstTag: number = firstTagOfNextHeap();
  #freeHead = 0;
  readonly #growth: StoreGrowth;
  /** Number of slots whose tags are used up. */
  #retiredSlots = 0;

  /** Other threads can mark a `shared` store. `counts` says whether it has a census. */
  constructor(shared: boolean = false, counts: boolean = false) {
    this.census = counts ? new Census(FIRST_CAPACITY) : null;
    this.lists.moves = this.census;
    this.edges = new EdgeStore(FIRST_CAPACITY, shared);
    this.tag.fill(this.firstTag);
    this.#growth = new StoreGrowth(this, FIRST_CAPACITY);
  }

  get capacity(): number {
    return this.#growth.capacity;
  }

  /** Returns a slot with a new node, which the caller holds and which is in no list. */
  allocateSlot(typeAndFlags: number, kindId: number): number {
    let index = this.#freeHead;
    if (index === 0) index = this.#newSlot();
    else this.#freeHead = this.lists.links[2 * index] as number;
    const type = typeAndFlags & TYPE_MASK;
    if (type !== PLAIN) this.#countNonPlain(type, 1);
    this.refcount[index] = 1;
    this.holds[index] = 1;
    this.gcWord[index] = 0;
    this.meta[index] = typeAndFlags | FLAG_LIVE | (kindId << KIND_SHIFT);
    if (this.sizes.length > 0) this.sizes[index] = 0;
    return index;
  }

  /** Frees the slot of a node that is in no list and has no edges. The handle of the node becomes stale. */
  freeSlot(index: number): void {
    const type = this.type(index);
    if (type !== PLAIN) this.#countNonPlain(type, -1);
    this.meta[index] = 0;
    const tag = (this.tag[index] as number) + 1;
    if ((tag & (TAGS_PER_SLOT - 1)) === 0) {
      this.#retiredSlots++;
      return;
    }
    this.tag[index] = tag;
    this.lists.links[2 * index] = this.#freeHead;
    this.#freeHead = index;
  }

  type(index: number): number {
    return (this.meta[index] as number) & TYPE_MASK;
  }

  /** Returns the number of the node's kind. */
  kindId(index: number): number {
    return (this.meta[index] as number) >>> KIND_SHIFT;
  }

  /** Gives a live node another kind. */
  setKindId(index: number, kindId: number): void {
    const typeAndFlags = (this.meta[index] as number) & ((1 << KIND_SHIFT) - 1);
    this.meta[index] = typeAndFlags | (kindId << KIND_SHIFT);
  }

  hasFlag(index: number, flag: number): boolean {
    return ((this.meta[index] as number) & flag) !== 0;
  }

  setFlag(index: number, flag: number): void {
    this.meta[index] = (this.meta[index] as number) | flag;
  }

  clearFlag(index: number, flag: number): void {
    this.meta[index] = (this.meta[index] as number) & ~flag;
  }

  /** Returns true if the node is being collected and is not known to be reachable. */
  isCollecting(index: number): boolean {
    return ((this.gcWord[index] as number) & COLLECTING) !== 0;
  }

  size(index: number): number {
    return this.sizes.length === 0 ? 0 : (this.sizes[index] as number);
  }

  setSize(index: number, size: number): void {
    if (this.sizes.length === 0) this.sizes = new Uint32Array(this.capacity);
    this.sizes[index] = size;
  }

  /** Calls `visitor` with the index of each live node. */
  visit(visitor: (index: number) => void): void {
    for (let index = FIRST_NODE; index < this.end; index++) {
      if (this.hasFlag(index, FLAG_LIVE)) visitor(index);
    }
  }

  #countNonPlain(type: number, change: 1 | -1): void {
    this.countByType[type] = (this.countByType[type] as number) + change;
    this.nonPlainCount += change;
  }

  #newSlot(): number {
    const index = this.end;
    if (index >= this.#growth.nextSlot) this.#growth.continue(index);
    this.end++;
    // The heap adds a slot only when all others hold a node or are retired.
    this.peakLive = Math.max(this.peakLive, this.end - FIRST_NODE - this.#retiredSlots);
    return index;
  }
}
