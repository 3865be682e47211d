/**
 * Handles name the nodes of a simulated heap for callers.
 *
 * ```
 *   53 bits, so a handle is a safe integer
 *   ┌────────────┬──────────────┬──────────────────────────┐
 *   │ heap (11)  │ reuse (16)   │ slot (26)                │
 *   └────────────┴──────────────┴──────────────────────────┘
 *                 the tag (27)
 * ```
 *
 * The slot is the index of the node. The tag tells apart the nodes that use one slot one after the other. It grows when
 * a node is freed. A slot whose 65,536 tags are used up is retired, so a stale handle never becomes valid again. That
 * costs one slot, about 40 bytes, for every 65,536 frees in one slot.
 *
 * The upper bits of the tag belong to the heap. So a heap refuses handles of other heaps. The exception is a heap
 * created a multiple of 2,047 heaps before or after it.
 */
declare const handleBrand: unique symbol;

/**
 * Name of one node of one heap. It is opaque: compare handles with `===`, and pass them only to the heap that made
 * them.
 */
export type Handle = number & {
  /** Brand for the compiler, so that a plain number is not a handle. */
  readonly [handleBrand]: true;
};

/** Maximum number of slots of a heap. */
export const MAX_SLOTS: number = 2 ** 26;
/** Number of nodes that can use one slot, one after the other. */
export const TAGS_PER_SLOT: number = 2 ** 16;
const SLOT_MASK = MAX_SLOTS - 1;
const HEAP_NUMBERS = 2 ** 11;

let heaps = 0;

/** Returns the tag of the first node in each slot of a new heap. It is never 0, so no small integer is a handle. */
export function firstTagOfNextHeap(): number {
  return (1 + (heaps++ % (HEAP_NUMBERS - 1))) * TAGS_PER_SLOT;
}

/** Returns the handle of the node with this tag at `index`. */
export function makeHandle(index: number, tag: number): Handle {
  return (tag * MAX_SLOTS + index) as Handle;
}

/** Returns the tag of the node, which may be freed. */
export function tagOfHandle(handle: Handle): number {
  return Math.floor(handle / MAX_SLOTS);
}

/** Returns the index of the node, which may be freed. */
export function indexOfHandle(handle: Handle): number {
  return handle & SLOT_MASK;
}
