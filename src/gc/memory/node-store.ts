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
 * Why one array per field: a pass over the heap reads one or two fields of every node, and so streams through a few bytes a
 * node; one record per node has been measured at two to three times the cost. What is always used together, a node's two
 * edges and its two links, lies together. `gcWord` is all that a collection reads of an edge's target: its count of
 * references and its state in one word.
 *
 * Growth doubles every array, so it costs amortised O(1) a node. 37 bytes a node with two edges; 4 more once a node was given
 * a size, 12 more once there was a weak reference.
 */

import { HeapFullError } from '../heap-errors.js';
import { grownColumn } from './column.js';
import { EdgeStore } from './edge-store.js';
import { FIRST_NODE, GenerationLists } from './generation-lists.js';
import { firstTagOfNextHeap, MAX_SLOTS, TAGS_PER_SLOT } from './handle.js';

/** A node without a finalizer. */
export const PLAIN = 0;
/** A node whose finalizer runs once, in cycles too. */
export const FINALIZABLE = 1;
/** A weak reference. */
export const WEAK = 2;
/** A node whose finalizer runs at each death by reference count, and which makes its cycles uncollectable. */
export const LEGACY = 3;
const TYPES = 4;

/** `meta`: the kind, flags, and from bit 16 the number of the kind's name. */
const TYPE_MASK = 0b11;
/** Its finalizer has run. */
export const FLAG_FINALIZED = 0b100;
/** The place holds a node. */
export const FLAG_LIVE = 0b1000;
/** It has a finalizer or a callback. */
export const FLAG_CALLABLE = 0b10000;
/** A weak reference that others without a callback share. */
export const FLAG_SHARED = 0b100000;
const KIND_SHIFT = 16;
/** The most names that kinds can have. */
export const MAX_KINDS: number = 2 ** 16;

/** `gcWord` of a node that is being collected and was not found reachable; else it is 0. Counts stand above. */
export const COLLECTING = 0b01;
/** The node was moved to the unreachable list, for the time being. */
export const TENTATIVE = 0b10;
/** One reference in `gcWord`. */
export const ONE_REFERENCE = 0b100;

const FIRST_CAPACITY = 1_024;
/** The largest size that a node can have. */
export const MAX_NODE_SIZE: number = 2 ** 32 - 1;

export class NodeStore {
  readonly edges: EdgeStore;
  readonly lists: GenerationLists = new GenerationLists(FIRST_CAPACITY);
  /** Edges to the node, holds on it, and references of the heap's own while it works on the node. */
  refcount: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** References from outside the heap, which are what its user has to end. */
  holds: Int32Array = new Int32Array(FIRST_CAPACITY);
  gcWord: Int32Array = new Int32Array(FIRST_CAPACITY);
  tag: Int32Array = new Int32Array(FIRST_CAPACITY);
  meta: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** Empty until a node is given a size. */
  sizes: Uint32Array = new Uint32Array(0);
  /** How many nodes there are of each kind, plain ones excepted, and of all these together. */
  readonly countByType: Int32Array = new Int32Array(TYPES);
  nonPlainCount = 0;
  /** One more than the last place that was ever used. */
  end: number = FIRST_NODE;
  /** The most nodes there were at once. */
  peakLive = 0;
  readonly #firstTag: number = firstTagOfNextHeap();
  #freeHead = 0;
  /** Places whose tags are used up. */
  #retiredSlots = 0;

  /** A shared one can be marked by other threads. */
  constructor(shared: boolean = false) {
    this.edges = new EdgeStore(FIRST_CAPACITY, shared);
    this.tag.fill(this.#firstTag);
  }

  get capacity(): number {
    return this.refcount.length;
  }

  /** A place for a node, which its taker holds, in no list. */
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

  /** Gives a place back: the node is in no list and has no edges. Its handle is stale from now on. */
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

  /** The number of the kind's name. */
  kindId(index: number): number {
    return (this.meta[index] as number) >>> KIND_SHIFT;
  }

  hasFlag(index: number, flag: number): boolean {
    return ((this.meta[index] as number) & flag) !== 0;
  }

  setFlag(index: number, flag: number): void {
    this.meta[index] = (this.meta[index] as number) | flag;
  }

  /** Whether the node is part of what is being collected, and not known to be reachable. */
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

  /** Calls `visit` with the index of each live node. */
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
    if (index === this.capacity) this.#grow();
    this.end++;
    // A place is only made when all others are taken, so all that are in use are alive.
    this.peakLive = Math.max(this.peakLive, this.end - FIRST_NODE - this.#retiredSlots);
    return index;
  }

  #grow(): void {
    const old = this.capacity;
    if (old === MAX_SLOTS) throw new HeapFullError(MAX_SLOTS);
    const capacity = 2 * old;
    this.edges.grow(capacity);
    this.lists.grow(capacity);
    this.refcount = grownColumn(this.refcount, capacity);
    this.holds = grownColumn(this.holds, capacity);
    this.gcWord = grownColumn(this.gcWord, capacity);
    this.tag = grownColumn(this.tag, capacity).fill(this.#firstTag, old);
    this.meta = grownColumn(this.meta, capacity);
    if (this.sizes.length > 0) this.sizes = grownColumn(this.sizes, capacity);
  }
}
