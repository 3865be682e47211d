/**
 * The lists of nodes: the generations, and the lists into which a collection sorts nodes. Each list is a ring through a
 * sentinel, whose index is the name of the list. So a node leaves its list in O(1), and two lists join in O(1). The
 * order in a list can be observed: it is the order of finalizers.
 */

/** Generation of nodes. The youngest is 0. */
export type Generation = 0 | 1 | 2;

/** List number of a node that is in no list. */
export const UNTRACKED = 0;
/** List of the youngest generation. The next two lists are the older generations. */
export const GENERATION_0 = 1;
export const OLDEST = 3;
export const PERMANENT = 4;
export const UNREACHABLE = 5;
export const UNCOLLECTABLE = 6;
export const PENDING_CALLBACKS = 7;
export const FINALIZED = 8;
export const STILL_UNREACHABLE = 9;
/** Index of the first node. Lower indices are sentinels, and 0 means none. */
export const FIRST_NODE = 16;

/** Is told of each move of a node. */
export interface MoveRecorder {
  /** Reports that a node is in a list now. */
  recordMove(index: number, list: number): void;
}

export class GenerationLists {
  /** Two entries per node: the next node in its list, and the previous one. */
  links: Int32Array;
  /** List that each node is in. */
  listOf: Uint8Array;
  /** Is told of each move, or `null` if the heap counts no classes. */
  moves: MoveRecorder | null = null;
  /** Number of nodes in each list. */
  readonly lengths: Int32Array = new Int32Array(FIRST_NODE);

  constructor(capacity: number) {
    this.links = new Int32Array(2 * capacity);
    this.listOf = new Uint8Array(capacity);
    for (let list = 0; list < FIRST_NODE; list++) {
      this.links[2 * list] = list;
      this.links[2 * list + 1] = list;
    }
  }

  /** Returns the first node of a list, or 0. */
  first(list: number): number {
    const first = this.links[2 * list] as number;
    return first === list ? 0 : first;
  }

  length(list: number): number {
    return this.lengths[list] as number;
  }

  /** Adds a node that is in no list to the end of a list. */
  append(list: number, index: number): void {
    const { links, lengths } = this;
    const last = links[2 * list + 1] as number;
    links[2 * last] = index;
    links[2 * index] = list;
    links[2 * index + 1] = last;
    links[2 * list + 1] = index;
    this.listOf[index] = list;
    lengths[list] = (lengths[list] as number) + 1;
    this.moves?.recordMove(index, list);
  }

  /** Removes a node from its list, if it is in one. */
  remove(index: number): void {
    const { links, lengths, listOf } = this;
    const list = listOf[index] as number;
    if (list === UNTRACKED) return;
    const next = links[2 * index] as number;
    const previous = links[2 * index + 1] as number;
    links[2 * previous] = next;
    links[2 * next + 1] = previous;
    listOf[index] = UNTRACKED;
    lengths[list] = (lengths[list] as number) - 1;
  }

  move(list: number, index: number): void {
    this.remove(index);
    this.append(list, index);
  }

  /** Appends all nodes of `from` to `to`, and keeps their order. O(nodes in `from`). */
  merge(from: number, to: number): void {
    const { links, lengths, listOf } = this;
    const first = links[2 * from] as number;
    if (first === from) return;
    for (let i = first; i !== from; i = links[2 * i] as number) listOf[i] = to;
    if (this.moves !== null) this.#recordMoves(this.moves, from, to);
    const last = links[2 * from + 1] as number;
    const end = links[2 * to + 1] as number;
    links[2 * end] = first;
    links[2 * first + 1] = end;
    links[2 * last] = to;
    links[2 * to + 1] = last;
    links[2 * from] = from;
    links[2 * from + 1] = from;
    lengths[to] = (lengths[to] as number) + (lengths[from] as number);
    lengths[from] = 0;
  }

  #recordMoves(moves: MoveRecorder, from: number, to: number): void {
    const { links } = this;
    for (let i = links[2 * from] as number; i !== from; i = links[2 * i] as number) {
      moves.recordMove(i, to);
    }
  }

  /** Empties a list after its nodes were freed. */
  reset(list: number): void {
    this.links[2 * list] = list;
    this.links[2 * list + 1] = list;
    this.lengths[list] = 0;
  }

  /** Visits the nodes of a list in order. The visitor may remove the current node. */
  visit(list: number, visitor: (index: number) => void): void {
    for (let i = this.links[2 * list] as number; i !== list; ) {
      const next = this.links[2 * i] as number;
      visitor(i);
      i = next;
    }
  }
}
