/**
 * The memory of a simulated heap: one typed array per field, one index per node. Fields that a pass reads together are
 * short and apart, so a full collection streams through a few bytes per node.
 *
 * ```
 *            refcount  gcRefs  next  previous  edgeCount  edgeA  edgeB  weakHead  reuse  kind  flags
 *   0..15    sentinels of the generation lists; 0 is "none"
 *   16..     nodes, or links of the free list
 * ```
 *
 * A node has up to two edges in `edgeA` and `edgeB`; from the third on all of them live in a slab, a power-of-two run of
 * one shared array, whose start is in `edgeA` and whose size is in `edgeB`. Slabs are recycled by size.
 *
 * A weak reference has no edges; it uses `edgeA` for its target, `edgeB` and `weakHead` as links of its target's list.
 *
 * Growth doubles every array, so it costs amortised O(1) a node. 42 bytes a node with two edges.
 */

/** The kinds of nodes, numbered as the heap programs number them. */
export const PLAIN = 0;
export const FINALIZABLE = 1;
export const WEAK = 2;
export const LEGACY = 3;

/** The lists that a node can be in; each is the index of its sentinel. */
export const UNTRACKED = 0;
export const GENERATION_0 = 1;
export const OLDEST = 3;
export const PERMANENT = 4;
export const UNREACHABLE = 5;
export const UNCOLLECTABLE = 6;
export const PENDING_CALLBACKS = 7;
export const FINALIZED_TRASH = 8;
export const STILL_UNREACHABLE = 9;
const FIRST_NODE = 16;

/** Flags of a node. */
export const KIND_MASK: number = 0b11;
export const FLAG_FINALIZED: number = 1 << 2;
/** It belongs to what is being collected and was not found reachable. */
export const FLAG_COLLECTING: number = 1 << 3;
/** It was moved to the unreachable list, for the time being. */
export const FLAG_UNREACHABLE: number = 1 << 4;
/** It has a finalizer or a callback. */
export const FLAG_CALLABLE: number = 1 << 6;
/** The place holds a node. */
export const FLAG_LIVE: number = 1 << 5;

/** Edges that fit without a slab. */
const INLINE_EDGES = 2;

const FIRST_CAPACITY = 1_024;

export class NodeStore {
  refcount: Int32Array = new Int32Array(FIRST_CAPACITY);
  gcRefs: Int32Array = new Int32Array(FIRST_CAPACITY);
  next: Int32Array = new Int32Array(FIRST_CAPACITY);
  previous: Int32Array = new Int32Array(FIRST_CAPACITY);
  edgeCount: Int32Array = new Int32Array(FIRST_CAPACITY);
  edgeA: Int32Array = new Int32Array(FIRST_CAPACITY);
  edgeB: Int32Array = new Int32Array(FIRST_CAPACITY);
  weakHead: Int32Array = new Int32Array(FIRST_CAPACITY);
  reuse: Uint32Array = new Uint32Array(FIRST_CAPACITY);
  kindName: Uint16Array = new Uint16Array(FIRST_CAPACITY);
  flags: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** The list that a node is in. */
  list: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  /** Edges beyond the inline ones. */
  slab: Int32Array = new Int32Array(FIRST_CAPACITY);
  /** How many nodes each list has. */
  readonly listLength: Int32Array = new Int32Array(FIRST_NODE);
  /** How many nodes there are of each kind. */
  readonly population: Int32Array = new Int32Array(KIND_MASK + 1);
  /** One more than the last place that was ever used. */
  end: number = FIRST_NODE;
  #freeHead = 0;
  #slabEnd = 0;
  /** Free slabs by the logarithm of their size. */
  readonly #freeSlabs: number[][] = [];

  constructor() {
    for (let sentinel = 0; sentinel < FIRST_NODE; sentinel++) {
      this.next[sentinel] = sentinel;
      this.previous[sentinel] = sentinel;
    }
  }

  // ── Places ──

  /** The most nodes there were at once: each needed a place of its own. */
  get peak(): number {
    return this.end - FIRST_NODE;
  }

  /** A place for a node, with a reference count of 1, in no list. */
  take(flags: number, kindName: number): number {
    let index = this.#freeHead;
    if (index === 0) {
      index = this.end;
      if (index === this.refcount.length) this.#grow();
      this.end++;
    } else {
      this.#freeHead = this.next[index] as number;
    }
    const kind = flags & KIND_MASK;
    this.population[kind] = (this.population[kind] as number) + 1;
    this.refcount[index] = 1;
    this.flags[index] = flags | FLAG_LIVE;
    this.kindName[index] = kindName;
    this.list[index] = UNTRACKED;
    this.edgeCount[index] = 0;
    this.edgeA[index] = 0;
    this.edgeB[index] = 0;
    this.weakHead[index] = 0;
    return index;
  }

  /** Gives a place back. Its handle is stale from now on. */
  give(index: number): void {
    const kind = (this.flags[index] as number) & KIND_MASK;
    this.population[kind] = (this.population[kind] as number) - 1;
    this.flags[index] = 0;
    this.reuse[index] = (this.reuse[index] as number) + 1;
    this.next[index] = this.#freeHead;
    this.#freeHead = index;
  }

  // ── Lists ──

  append(list: number, index: number): void {
    const { next, previous } = this;
    const last = previous[list] as number;
    next[last] = index;
    previous[index] = last;
    next[index] = list;
    previous[list] = index;
    this.list[index] = list;
    this.listLength[list] = (this.listLength[list] as number) + 1;
  }

  /** Takes a node out of the list it is in, if it is in one. */
  unlist(index: number): void {
    const list = this.list[index] as number;
    if (list === UNTRACKED) return;
    const { next, previous } = this;
    const before = previous[index] as number;
    const after = next[index] as number;
    next[before] = after;
    previous[after] = before;
    this.list[index] = UNTRACKED;
    this.listLength[list] = (this.listLength[list] as number) - 1;
  }

  move(list: number, index: number): void {
    this.unlist(index);
    this.append(list, index);
  }

  /** Appends all of `from` to `to`, keeping its order. O(nodes). */
  merge(from: number, to: number): void {
    const { next, list } = this;
    for (let i = next[from] as number; i !== from; i = next[i] as number) list[i] = to;
    this.splice(from, to);
  }

  /** The same in O(1); the caller has to enter the nodes' new list by itself. */
  splice(from: number, to: number): void {
    const first = this.next[from] as number;
    if (first === from) return;
    const { next, previous } = this;
    const last = previous[from] as number;
    const end = previous[to] as number;
    next[end] = first;
    previous[first] = end;
    next[last] = to;
    previous[to] = last;
    next[from] = from;
    previous[from] = from;
    this.listLength[to] = (this.listLength[to] as number) + (this.listLength[from] as number);
    this.listLength[from] = 0;
  }

  // ── Edges ──

  edgeAt(index: number, place: number): number {
    if ((this.edgeCount[index] as number) > INLINE_EDGES) {
      return this.slab[(this.edgeA[index] as number) + place] as number;
    }
    return (place === 0 ? this.edgeA[index] : this.edgeB[index]) as number;
  }

  setEdge(index: number, place: number, target: number): void {
    if ((this.edgeCount[index] as number) > INLINE_EDGES) {
      this.slab[(this.edgeA[index] as number) + place] = target;
    } else if (place === 0) this.edgeA[index] = target;
    else this.edgeB[index] = target;
  }

  pushEdge(index: number, target: number): void {
    const count = this.edgeCount[index] as number;
    if (count < INLINE_EDGES) {
      if (count === 0) this.edgeA[index] = target;
      else this.edgeB[index] = target;
    } else {
      if (count === INLINE_EDGES) this.#moveToSlab(index);
      else if (count === this.edgeB[index]) this.#doubleSlab(index);
      this.slab[(this.edgeA[index] as number) + count] = target;
    }
    this.edgeCount[index] = count + 1;
  }

  /** Takes an edge out, closing the gap; the last one in O(1). Reference counts are the caller's. */
  removeEdge(index: number, place: number): void {
    const count = this.edgeCount[index] as number;
    if (count > INLINE_EDGES) {
      const start = this.edgeA[index] as number;
      this.slab.copyWithin(start + place, start + place + 1, start + count);
      this.edgeCount[index] = count - 1;
      if (count - 1 === INLINE_EDGES) this.#moveInline(index);
      return;
    }
    if (place === 0) this.edgeA[index] = this.edgeB[index] as number;
    this.edgeCount[index] = count - 1;
  }

  /** Empties the node's edges and returns what they were, in order. */
  takeEdges(index: number): number[] {
    const count = this.edgeCount[index] as number;
    const targets: number[] = [];
    for (let place = 0; place < count; place++) targets.push(this.edgeAt(index, place));
    this.freeEdges(index);
    return targets;
  }

  /** Forgets the node's edges. Reference counts are the caller's. */
  freeEdges(index: number): void {
    if ((this.edgeCount[index] as number) > INLINE_EDGES) {
      this.#giveSlab(this.edgeA[index] as number, this.edgeB[index] as number);
    }
    this.edgeCount[index] = 0;
  }

  #moveToSlab(index: number): void {
    const start = this.#takeSlab(INLINE_EDGES * 2);
    this.slab[start] = this.edgeA[index] as number;
    this.slab[start + 1] = this.edgeB[index] as number;
    this.edgeA[index] = start;
    this.edgeB[index] = INLINE_EDGES * 2;
  }

  #moveInline(index: number): void {
    const start = this.edgeA[index] as number;
    this.#giveSlab(start, this.edgeB[index] as number);
    this.edgeA[index] = this.slab[start] as number;
    this.edgeB[index] = this.slab[start + 1] as number;
  }

  #doubleSlab(index: number): void {
    const start = this.edgeA[index] as number;
    const size = this.edgeB[index] as number;
    const larger = this.#takeSlab(size * 2);
    this.slab.copyWithin(larger, start, start + size);
    this.#giveSlab(start, size);
    this.edgeA[index] = larger;
    this.edgeB[index] = size * 2;
  }

  #takeSlab(size: number): number {
    const free = this.#freeSlabs[31 - Math.clz32(size)]?.pop();
    if (free !== undefined) return free;
    const start = this.#slabEnd;
    this.#slabEnd += size;
    if (this.#slabEnd > this.slab.length) {
      let length = this.slab.length;
      while (length < this.#slabEnd) length *= 2;
      this.slab = grown(this.slab, new Int32Array(length));
    }
    return start;
  }

  #giveSlab(start: number, size: number): void {
    const sizeClass = 31 - Math.clz32(size);
    this.#freeSlabs[sizeClass] ??= [];
    this.#freeSlabs[sizeClass].push(start);
  }

  #grow(): void {
    const length = this.refcount.length * 2;
    this.refcount = grown(this.refcount, new Int32Array(length));
    this.gcRefs = grown(this.gcRefs, new Int32Array(length));
    this.next = grown(this.next, new Int32Array(length));
    this.previous = grown(this.previous, new Int32Array(length));
    this.edgeCount = grown(this.edgeCount, new Int32Array(length));
    this.edgeA = grown(this.edgeA, new Int32Array(length));
    this.edgeB = grown(this.edgeB, new Int32Array(length));
    this.weakHead = grown(this.weakHead, new Int32Array(length));
    this.reuse = grown(this.reuse, new Uint32Array(length));
    this.kindName = grown(this.kindName, new Uint16Array(length));
    this.flags = grown(this.flags, new Uint8Array(length));
    this.list = grown(this.list, new Uint8Array(length));
  }
}

function grown<A extends Int32Array | Uint32Array | Uint16Array | Uint8Array>(
  old: A,
  larger: A,
): A {
  larger.set(old);
  return larger;
}
